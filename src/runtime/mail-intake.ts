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
/** A listing older than this is made anew, so that what arrives is not held up by a long one. */
const LISTING_AGE_MS_MAX = 1_000;

/**
 * The waiting mail of a workflow, a message at a time: in rounds, so that one sender's flood does not hold up the others.
 * The directory is listed when the last listing is used up or old, not for each message.
 */
export class MailIntake {
  readonly #mailbox: Mailbox;
  #listing: WaitingMail[] = [];
  #listedAtMs = -Infinity;
  /** Whether each message is counted before it is tried, because the one before may have killed its host. */
  #countsTries: boolean;
  readonly #passedOver = new Set<string>();
  /** Waits for more than the next look: a start, or that a FAILED workflow goes on. */
  readonly #putOff = new Set<string>();

  constructor(mailbox: Mailbox, { isUnclean }: { isUnclean: boolean }) {
    this.#mailbox = mailbox;
    this.#countsTries = isUnclean;
  }

  /**
   * The next verified message that was sent before a time (ms since the epoch); undefined when there is none. `isKnown` tells
   * what is committed and only not moved yet; what `waits` is not tried, so no attempt is counted either.
   */
  next(options: {
    readonly isKnown: (id: string) => boolean;
    readonly waits: (message: Message) => boolean;
    readonly sentBefore: number;
  }): VerifiedMessage | undefined {
    for (;;) {
      const waiting = this.#take(options.sentBefore);
      if (!waiting) return undefined;
      // Whatever becomes of it, it is not looked at again before what was committed has been moved.
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

  /** The verified messages of some senders, oldest first, which stay what they are to `next`. */
  *from(isWanted: (sender: string) => boolean, isKnown: (id: string) => boolean): Generator<VerifiedMessage> {
    for (const waiting of listWaiting(this.#mailbox)) {
      const parsed = parseMessageFileName(waiting.name);
      if (!parsed || !isWanted(parsed.from) || isKnown(parsed.id)) continue;
      const believed = this.#verify(waiting);
      if (believed) yield believed;
    }
  }

  /** What was passed over can be looked at again; what waits, only once the workflow has taken a step. */
  resume({ hasStepped }: { readonly hasStepped: boolean }): void {
    this.#passedOver.clear();
    if (hasStepped) this.#putOff.clear();
  }

  /** A message that the system does not let be read now holds up no other one. */
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

  /** What lies there since that time is in a listing that was made after it. */
  #takeEarly(sentBefore: number, now: number): WaitingMail | undefined {
    try {
      if (this.#listedAtMs < sentBefore || this.#listedAtMs > now) this.#listAnew(now);
    } catch (error) {
      // A mailbox that cannot be read now holds up no timer.
      if (errnoOf(error) === undefined) throw error;
    }
    const at = this.#listing.findLastIndex(({ name }) => timeSent(name) < sentBefore);
    return at === -1 ? undefined : this.#listing.splice(at, 1)[0];
  }

  #listAnew(now: number): void {
    // What killed the host before was in the first listing, and has been counted by now.
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

/** What is no message's name has no time, and waits for its turn. */
function timeSent(name: string): number {
  const id = parseMessageFileName(name)?.id;
  return id === undefined ? Infinity : timeOfId(id);
}

export interface TakingMail {
  readonly context: RoomContext;
  readonly address: string;
  readonly machine: AnyStateMachine;
  readonly journal: Journal;
  readonly expected: () => ExpectedStart | undefined;
  readonly intake: MailIntake;
  readonly committer: Committer;
}

/**
 * Takes waiting messages and appends what becomes of each: so many at most, and only those that were sent before a time (ms
 * since the epoch) where one is given. Resolves with how many. Throws as the committer.
 */
export async function takeMail(
  options: TakingMail,
  { max, sentBefore = Infinity }: { readonly max: number; readonly sentBefore?: number },
): Promise<number> {
  for (let taken = 0; taken < max; taken++) if (!(await takeNext(options, sentBefore))) return taken;
  return Math.max(0, max);
}

/**
 * Takes a STOP that waits, before anything else: where the host before did not leave in good order, what is due now may be what
 * it never came back from. Throws as the committer.
 */
export async function takeStop(options: TakingMail): Promise<void> {
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

/** Resolves with false when none waits. */
async function takeNext(options: TakingMail, sentBefore: number): Promise<boolean> {
  const { journal, intake, committer } = options;
  const waits = (message: Message): boolean => mustWait(message, journal.fold.state);
  const taken = intake.next({ isKnown: isCommittedIn(journal), waits, sentBefore });
  if (!taken) return false;
  // Its schema is what a user wrote, too, and may be what kills the host: it is asked once the attempt is counted.
  const received = receiveHere(options, taken.message);
  if ('waits' in received) throw new TypeError(`${taken.message.id} was to wait and was taken`);
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

function receiveHere({ context, address, machine, journal, expected }: TakingMail, message: Message): Reception {
  const { state } = journal.fold;
  const work = (): Reception => receive(message, { machine, address, state, expected: expected() });
  return during(context, address, { on: mailText(message.type, message), work });
}
