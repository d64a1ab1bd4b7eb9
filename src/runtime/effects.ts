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
import { errorFacts } from '../workflow/plain-facts.ts';
import { during } from './during.ts';
import { Outbox, type Refused } from './outbox.ts';
import { ProgressKeeper } from './progress.ts';

const RETRY_MS = 1_000;

export interface ConsequencesOptions {
  readonly context: RoomContext;
  readonly durability: Durability;
  readonly address: string;
  readonly mailbox: Mailbox;
  readonly journal: Journal;
  readonly machine: AnyStateMachine;
  readonly childReady: (address: string, entry: OutboxEntry) => Promise<void>;
  /** A message can never be delivered to these. */
  readonly onRefused: (entry: OutboxEntry, refused: readonly Refused[]) => void;
  /** A record is done with. */
  readonly onMoved: () => void;
  /** A message has reached its end. */
  readonly onDelivered: () => void;
}

/**
 * Does what true records ask for: moves their mail, sends their messages, runs their actions, each in the order of the
 * records. All of it may be done again, so recovery and the ordinary way are the same.
 */
export class Consequences {
  readonly progress: ProgressKeeper;
  readonly #options: ConsequencesOptions;
  readonly #outbox: Outbox;
  readonly #posted = new Set<string>();
  readonly #leaving = new AbortController();
  #begun: number;
  /** The end of the queue of records whose actions run. */
  #acting: Promise<void> = Promise.resolve();

  constructor(options: ConsequencesOptions) {
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

  /** How many records are not done with. */
  get outstanding(): number {
    return this.progress.outstanding;
  }

  /**
   * Whether all that was committed is done, written down or not. Of a FAILED workflow: all but what it has to hear of messages
   * that were refused, which waits.
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

  /** Everything that the journal says is left to do, by whichever host it was committed. */
  recover(): void {
    this.#performRecords();
    for (const entry of this.#options.journal.fold.undelivered.values()) this.#post(entry, { isRepeat: true });
  }

  /** What the records just made ask for; `outbox` are their messages. */
  perform(outbox: readonly OutboxEntry[]): void {
    this.#performRecords();
    for (const entry of outbox) this.#post(entry, { isRepeat: false });
  }

  /** What it is to the machine that a message was refused; undefined when it is not to hear of it, which is then over. */
  undelivered(entry: OutboxEntry, refused: readonly Refused[]): Cause | undefined {
    const { state, undelivered } = this.#options.journal.fold;
    // A FAILED workflow may have heard of it from an earlier look, by the step that was tried again.
    if (!undelivered.has(entry.id)) return undefined;
    const cause = state && undeliveredCause(entry, refused, state);
    if (cause && isHeardOf(entry, cause)) return cause;
    this.progress.delivered(entry.id);
    return undefined;
  }

  /** Resolves when nothing is under way; what is left is in the journal. */
  async close(): Promise<void> {
    this.#leaving.abort();
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
    const { signal } = this.#leaving;
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

  /** False when the system does not let it be moved now. */
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
        detail: `not moved now: ${errorFacts(error).message}`,
      });
      return false;
    }
  }
}

/** An action is something small; one that takes longer is passed over, so that it holds up nothing for ever. */
const ACTION_MS_MAX = 60_000;

/** Runs the custom actions of one record, in order. What they throw is in the log and stops nothing. Never rejects. */
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
      failed('the machine has no such action any more');
      continue;
    }
    const over = new AbortController();
    try {
      const patience = context.host.clock.sleep(ACTION_MS_MAX, over.signal).then(() => 'late' as const);
      // It is given a copy, because params share parts with the state, which changes by steps alone.
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

/** What it is to the machine that a message of its can never be delivered: the error of the call it was for, or an event. */
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

/** A machine has not sent START and STOP itself, and does not hear of them where it no longer waits for the child. */
export function isHeardOf({ isControl, type }: OutboxEntry, cause: Cause): boolean {
  return 'call' in cause || !isControl || (type !== START && type !== STOP);
}
