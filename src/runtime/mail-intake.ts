import type { AnyStateMachine } from 'xstate';
import { errnoOf } from '../host/file-system.ts';
import type { Journal } from '../journal/journal.ts';
import { inRounds } from '../mailbox/drain.ts';
import { countAttempt, verify, listWaiting, type WaitingMail } from '../mailbox/exclusive-reader.ts';
import type { VerifiedMessage } from '../mailbox/find.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { SYSTEM } from '../message/address.ts';
import { parseMessageFileName } from '../message/layout.ts';
import { timeOfId } from '../message/message-id.ts';
import type { Message } from '../message/message.ts';
import type { RoomContext } from '../room/context.ts';
import { type ExpectedStart, mustWait, receive, type Reception } from '../step/receive.ts';
import { STOP } from '../workflow/control.ts';
import type { Committer } from './committer.ts';
import { during, mailText } from './during.ts';

const ROUND_PER_SENDER_MAX = 30;
/** Relist after this long, so that new mail is not stuck behind a long listing. */
const LISTING_AGE_MS_MAX = 1_000;

/**
 * The waiting mail of a workflow, one message at a time, in rounds, so that one sender's flood does not delay other senders. The
 * directory is listed when the last listing is used up or old, not for each message.
 */
export class MailIntake {
  readonly #mailbox: Mailbox;
  #listing: WaitingMail[] = [];
  #listedAtMs = -Infinity;
  /** Whether an attempt is counted before each message is taken, because a message may have killed the previous host. */
  #countsTries: boolean;
  readonly #passedOver = new Set<string>();
  /** Messages that wait for a start, or for a FAILED workflow to resume, and so for longer than the next look. */
  readonly #putOff = new Set<string>();

  constructor(mailbox: Mailbox, { isUnclean }: { isUnclean: boolean }) {
    this.#mailbox = mailbox;
    this.#countsTries = isUnclean;
  }

  /**
   * The next verified message that was sent before a time (ms since the epoch); undefined if there is none. `isKnown`: whether a
   * message is already committed and only not moved yet. A message that `waits` is not taken, and no attempt is counted.
   */
  next(options: {
    readonly isKnown: (id: string) => boolean;
    readonly waits: (message: Message) => boolean;
    readonly sentBefore: number;
  }): VerifiedMessage | undefined {
    for (;;) {
      const waiting = this.#take(options.sentBefore);
      if (!waiting) return undefined;
      // In any case, do not look at it again before committed mail has been moved.
      this.#passedOver.add(waiting.name);
      if (options.isKnown(parseMessageFileName(waiting.name)?.id ?? '')) continue;
      const believed = this.#verify(waiting);
      if (!believed) continue;
      if (options.waits(believed.message)) {
        this.#putOff.add(waiting.name);
        continue;
      }
      if (this.#countsTries && !countAttempt(this.#mailbox, waiting)) continue;
      return believed;
    }
  }

  /** The verified messages of some senders, oldest first. Does not change what `next` returns. */
  *from(isWanted: (sender: string) => boolean, isKnown: (id: string) => boolean): Generator<VerifiedMessage> {
    for (const waiting of listWaiting(this.#mailbox)) {
      const parsed = parseMessageFileName(waiting.name);
      if (!parsed || !isWanted(parsed.from) || isKnown(parsed.id)) continue;
      const believed = this.#verify(waiting);
      if (believed) yield believed;
    }
  }

  /** Lets `next` look again at the messages that it passed over; at those that wait, only after a step of the workflow. */
  resume({ hasStepped }: { readonly hasStepped: boolean }): void {
    this.#passedOver.clear();
    if (hasStepped) this.#putOff.clear();
  }

  /** A message that cannot be read now must not block the others. */
  #verify(waiting: WaitingMail): VerifiedMessage | undefined {
    try {
      return verify(this.#mailbox, waiting);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return undefined;
    }
  }

  #take(sentBefore: number): WaitingMail | undefined {
    const now = this.#mailbox.host.clock.now();
    if (sentBefore !== Infinity) return this.#takeEarly(sentBefore, now);
    if (this.#listing.length === 0 || Math.abs(now - this.#listedAtMs) >= LISTING_AGE_MS_MAX) this.#listAnew(now);
    return this.#listing.pop();
  }

  /** Any message that was sent before that time is in a listing made after it. */
  #takeEarly(sentBefore: number, now: number): WaitingMail | undefined {
    try {
      if (this.#listedAtMs < sentBefore || this.#listedAtMs > now) this.#listAnew(now);
    } catch (error) {
      // A mailbox that cannot be read now must not block a timer.
      if (errnoOf(error) === undefined) throw error;
    }
    const at = this.#listing.findLastIndex(({ name }) => timeSent(name) < sentBefore);
    return at === -1 ? undefined : this.#listing.splice(at, 1)[0];
  }

  #listAnew(now: number): void {
    // A message that killed the previous host was in the first listing, and has been counted by now.
    if (this.#listing.length === 0 && this.#listedAtMs !== -Infinity) this.#countsTries = false;
    this.#list(now);
  }

  #list(now: number): void {
    this.#listedAtMs = now;
    const waiting = new Map(listWaiting(this.#mailbox).map((one) => [one.name, one]));
    const names = [...waiting.keys()].filter((name) => !this.#passedOver.has(name) && !this.#putOff.has(name));
    const ordered = inRounds(names, ROUND_PER_SENDER_MAX);
    this.#listing = ordered
      .map((name) => waiting.get(name))
      .filter((one) => one !== undefined)
      .reverse();
  }
}

/** When a message was sent; Infinity for a name that is not a message's, which then waits for its turn. */
function timeSent(name: string): number {
  const id = parseMessageFileName(name)?.id;
  return id === undefined ? Infinity : timeOfId(id);
}

export interface TakeMailOptions {
  readonly context: RoomContext;
  readonly address: string;
  readonly machine: AnyStateMachine;
  readonly journal: Journal;
  readonly expected: () => ExpectedStart | undefined;
  readonly intake: MailIntake;
  readonly committer: Committer;
}

/**
 * Takes up to `max` waiting messages and appends the outcome of each; with `sentBefore` (ms since the epoch), only messages that
 * were sent before that time. Resolves with how many it took. Throws what the committer throws.
 */
export async function takeMail(
  options: TakeMailOptions,
  { max, sentBefore = Infinity }: { readonly max: number; readonly sentBefore?: number },
): Promise<number> {
  for (let taken = 0; taken < max; taken++) if (!(await takeNext(options, sentBefore))) return taken;
  return Math.max(0, max);
}

/**
 * Takes a waiting STOP before anything else: if the previous host did not close cleanly, the step that is due now may be the one
 * that never returned. Throws what the committer throws.
 */
export async function takeStop(options: TakeMailOptions): Promise<void> {
  const { address, journal, intake, committer } = options;
  const { state } = journal.fold;
  if (state?.status !== 'active') return;
  const mayStop = new Set([SYSTEM, address, state.parent?.address]);
  for (const { message } of intake.from((sender) => mayStop.has(sender), isCommittedIn(journal))) {
    if (message.type !== STOP) continue;
    const received = receiveHere(options, message);
    if ('cause' in received && received.cause.kind === 'stop') return committer.commit(received.cause);
  }
}

/** Resolves with false if no message waits. */
async function takeNext(options: TakeMailOptions, sentBefore: number): Promise<boolean> {
  const { journal, intake, committer } = options;
  const waits = (message: Message): boolean => mustWait(message, journal.fold.state);
  const taken = intake.next({ isKnown: isCommittedIn(journal), waits, sentBefore });
  if (!taken) return false;
  // A schema is user code, too, and may kill the host, so it runs only after the attempt is counted.
  const received = receiveHere(options, taken.message);
  if ('waits' in received) throw new TypeError(`${taken.message.id} was taken although it must wait`);
  if ('cause' in received) await committer.commit(received.cause);
  else {
    const { id, from, type, content } = taken.message;
    const mail = { id, from, type, content };
    if ('late' in received) await committer.note(mail, { verdict: 'late', detail: received.late });
    else await committer.note(mail, { verdict: 'refused', ...received.refusal });
  }
  return true;
}

function isCommittedIn({ fold }: Journal): (id: string) => boolean {
  return (id) => fold.unperformed.some(({ mail }) => mail?.id === id);
}

function receiveHere({ context, address, machine, journal, expected }: TakeMailOptions, message: Message): Reception {
  const { state } = journal.fold;
  const work = (): Reception => receive(message, { machine, address, state, expected: expected() });
  return during(context, address, { on: mailText(message.type, message), work });
}
