import type { AnyStateMachine } from 'xstate';
import { mustWait, receive, type Expected } from '../machine/receive.ts';
import type { Message } from '../message/message.ts';
import type { Committer } from './committer.ts';
import type { Journal } from './journal.ts';
import type { MailIntake } from './mail-intake.ts';

export interface TakingMail {
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

/** Resolves with false when none waits. */
async function takeNext(
  { address, machine, journal, expected, intake, committer }: TakingMail,
  sentBefore: number,
): Promise<boolean> {
  const { fold } = journal;
  const isCommitted = (id: string): boolean => fold.unperformed.some(({ mail }) => mail?.id === id);
  const waits = (message: Message): boolean => mustWait(message, fold.state);
  const taken = intake.next({ isKnown: isCommitted, waits, sentBefore });
  if (!taken) return false;
  // Its schema is what a user wrote, too, and may be what kills the host: it is asked once the attempt is counted.
  const received = receive(taken.message, { machine, address, state: fold.state, expected: expected() });
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
