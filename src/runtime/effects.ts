import type { AnyStateMachine } from 'xstate';
import type { Journal } from '../journal/journal.ts';
import type { OutboxEntry, Unperformed } from '../journal/record.ts';
import { settle } from '../mailbox/exclusive-reader.ts';
import type { Durability, Mailbox } from '../mailbox/mailbox.ts';
import { messageFileName } from '../message/layout.ts';
import type { RefusalReason } from '../message/message.ts';
import type { RoomContext } from '../room/context.ts';
import { type Cause, errorEvent } from '../step/cause.ts';
import type { PlannedAction } from '../step/plan-effects.ts';
import type { WorkflowState } from '../step/workflow-state.ts';
import { DELIVERY_FAILED, type DeliveryFailed } from '../workflow/accepts.ts';
import { actionRunOf } from '../workflow/action.ts';
import { START, STOP } from '../workflow/control.ts';
import { errorFacts } from '../errors.ts';
import { during } from './during.ts';
import { Outbox, type Refused } from './outbox.ts';
import { ProgressKeeper } from './progress.ts';

const RETRY_MS = 1_000;

export interface EffectRunnerOptions {
  readonly context: RoomContext;
  readonly durability: Durability;
  readonly address: string;
  readonly mailbox: Mailbox;
  readonly journal: Journal;
  readonly machine: AnyStateMachine;
  readonly childReady: (address: string, entry: OutboxEntry) => Promise<void>;
  /** Called when a message can never be delivered to these recipients. */
  readonly onRefused: (entry: OutboxEntry, refused: readonly Refused[]) => void;
  /** Called when the mail of a record is moved and its actions have run. */
  readonly onMoved: () => void;
  /** Called when a message is delivered. */
  readonly onDelivered: () => void;
}

/**
 * Performs the effects of true records: moves their mail, sends their messages, runs their actions, each in the order of the
 * records. Every effect may be repeated, so recovery uses the same code.
 */
export class EffectRunner {
  readonly progress: ProgressKeeper;
  readonly #options: EffectRunnerOptions;
  readonly #outbox: Outbox;
  readonly #posted = new Set<string>();
  readonly #closing = new AbortController();
  #begun: number;
  /** Resolves when the actions of all records so far have run. */
  #acting: Promise<void> = Promise.resolve();

  constructor(options: EffectRunnerOptions) {
    const { context, durability, address, mailbox, journal, childReady, onRefused, onDelivered } = options;
    this.#options = options;
    this.#begun = journal.fold.performed;
    this.progress = new ProgressKeeper({ mailbox, durability, performed: journal.fold.performed });
    this.#outbox = new Outbox({
      context,
      address,
      durability,
      childReady,
      onDelivered: ({ id }) => {
        this.#posted.delete(id);
        this.progress.delivered(id);
        onDelivered();
      },
      onRefused: (entry, refused) => {
        this.#posted.delete(entry.id);
        onRefused(entry, refused);
      },
    });
  }

  /** How many records have unfinished effects. */
  get outstanding(): number {
    return this.progress.outstanding;
  }

  /**
   * Whether all committed effects are done, even if the journal does not say so yet. A FAILED workflow may still have to be told
   * of refused messages, which waits.
   */
  get isDone(): boolean {
    if (this.#options.journal.fold.state?.failed) return this.#posted.size === 0 && this.progress.isMoved;
    return this.progress.isComplete({ undelivered: this.#options.journal.fold.undelivered.size });
  }

  /** The same, and the journal says so. */
  get isSettled(): boolean {
    const { fold } = this.#options.journal;
    const isSent = fold.state?.failed ? this.#posted.size === 0 : fold.undelivered.size === 0;
    return isSent && fold.unperformed.length === 0 && !this.progress.hasNews;
  }

  /** Performs everything that the journal says is left to do, whichever host committed it. */
  recover(): void {
    this.#performRecords();
    for (const entry of this.#options.journal.fold.undelivered.values()) this.#post(entry, { isRepeat: true });
  }

  /** Performs the records that have just become true; `outbox` are their messages. */
  perform(outbox: readonly OutboxEntry[]): void {
    this.#performRecords();
    for (const entry of outbox) this.#post(entry, { isRepeat: false });
  }

  /** The cause for a refused message; undefined if the machine is not notified; the message is then finished. */
  undelivered(entry: OutboxEntry, refused: readonly Refused[]): Cause | undefined {
    const { state, undelivered } = this.#options.journal.fold;
    // A retried step of a FAILED workflow may already have been this very cause.
    if (!undelivered.has(entry.id)) return undefined;
    const cause = state && undeliveredCause(entry, refused, state);
    if (cause && isReported(entry, cause)) return cause;
    this.progress.delivered(entry.id);
    return undefined;
  }

  /** Resolves when nothing is in progress; what is left is in the journal. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#outbox.close(), this.#acting]);
  }

  #post(entry: OutboxEntry, options: { isRepeat: boolean }): void {
    if (this.#posted.has(entry.id)) return;
    this.#posted.add(entry.id);
    this.#outbox.add(entry, options);
  }

  #performRecords(): void {
    for (const record of this.#options.journal.fold.unperformed) {
      if (record.seq <= this.#begun) continue;
      this.#begun = record.seq;
      this.progress.begin(record);
      this.#performRecord(record);
    }
  }

  #performRecord(record: Unperformed): void {
    const isMoved = this.#settleMail(record);
    if (isMoved && record.actions.length === 0) {
      this.progress.done(record.seq);
      return;
    }
    const { machine, context, address, onMoved } = this.#options;
    const { signal } = this.#closing;
    this.#acting = this.#acting.then(async () => {
      await runActions(context, { machine, address, actions: record.actions, signal });
      for (let moved = isMoved; !moved && !signal.aborted;) {
        await context.host.clock.sleep(RETRY_MS, signal);
        moved = this.#settleMail(record);
      }
      if (signal.aborted) return;
      this.progress.done(record.seq);
      onMoved();
    });
  }

  /** Returns false if the system does not let the mail be moved now. */
  #settleMail({ mail, refusal }: Unperformed): boolean {
    if (!mail) return true;
    const { mailbox, context, address } = this.#options;
    try {
      settle(mailbox, messageFileName(mail), refusal && { ...refusal, reason: refusal.reason as RefusalReason });
      return true;
    } catch (error) {
      context.log.append({
        event: 'warning',
        id: mail.id,
        to: address,
        detail: `could not be moved, will retry: ${errorFacts(error).message}`,
      });
      return false;
    }
  }
}

/** An action should be short; one that takes longer is no longer waited for, so that it cannot block the workflow for ever. */
const ACTION_MS_MAX = 60_000;

/** Runs the custom actions of one record, in order. An error goes to the log and stops nothing. Never rejects. */
async function runActions(
  context: RoomContext,
  {
    machine,
    address,
    actions,
    signal,
  }: { machine: AnyStateMachine; address: string; actions: readonly PlannedAction[]; signal: AbortSignal },
): Promise<void> {
  for (const { type, params, effectId } of actions) {
    if (signal.aborted) return;
    const failed = (detail: string): void =>
      context.log.append({ event: 'action-failed', from: address, detail: `${type} (${effectId}): ${detail}` });
    const run = actionRunOf(machine.implementations.actions[type]);
    if (!run) {
      failed('the machine no longer has this action');
      continue;
    }
    const over = new AbortController();
    try {
      const patience = context.host.clock.sleep(ACTION_MS_MAX, over.signal).then(() => 'late' as const);
      // A copy, because params share parts with the state, which only steps may change.
      const ended = await Promise.race([
        Promise.resolve(
          during(context, address, { on: `action ${type}`, work: () => run(structuredClone(params), { effectId }) }),
        ),
        patience,
      ]);
      if (ended === 'late') failed(`it did not end within ${ACTION_MS_MAX / 1000} s`);
    } catch (error) {
      failed(errorFacts(error).message);
    } finally {
      over.abort();
    }
  }
}

/** The cause given to a machine whose message is permanently undeliverable: the error of the message's call, or an event. */
export function undeliveredCause(entry: OutboxEntry, refused: readonly Refused[], state: WorkflowState): Cause {
  const { id: messageId, type } = entry;
  const to = refused.map((one) => one.to).join(', ');
  const error = refused[0]?.error ?? { name: 'Error', message: 'it was refused' };
  const call = Object.entries(state.calls).find(
    ([, one]) =>
      (one.kind === 'ask' && one.questionId === messageId) ||
      (one.kind === 'machine' && type === START && one.effectId === entry.effectId),
  )?.[0];
  if (call !== undefined) return { kind: 'undelivered', messageId, to, call, event: errorEvent(call, error) };
  const event: DeliveryFailed = {
    type: DELIVERY_FAILED,
    messageId,
    messageType: type,
    to,
    code: error.code ?? error.name,
    reason: error.message,
  };
  return { kind: 'undelivered', messageId, to, event: { ...event } };
}

/** Whether the machine is notified. Not of START and STOP, which it has not sent itself, unless it still waits for the child. */
export function isReported({ isControl, type }: OutboxEntry, cause: Cause): boolean {
  return 'call' in cause || !isControl || (type !== START && type !== STOP);
}
