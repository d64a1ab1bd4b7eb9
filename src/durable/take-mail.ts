import type { AnyStateMachine } from 'xstate';
import { STOP } from '../machine/control.ts';
import { mustWait, receive, type Expected, type Reception } from '../machine/receive.ts';
import { SYSTEM } from '../message/address.ts';
import type { Message } from '../message/message.ts';
import type { RoomContext } from '../room/context.ts';
import type { Committer } from './committer.ts';
import type { Journal } from './journal.ts';
import { during, mailText } from './during.ts';
import type { MailIntake } from './mail-intake.ts';

export interface TakingMail {
  readonly context: RoomContext;
  readonly address: string;
  readonly machine: AnyStateMachine;
  readonly journal: Journal;
  readonly expected: () => Expected | undefined;
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
