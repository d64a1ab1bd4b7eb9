import type { AnyStateMachine } from 'xstate';
import { receive } from '../machine/receive.ts';
import type { ParentRef } from '../machine/workflow-state.ts';
import type { Committer } from './committer.ts';
import type { Journal } from './journal.ts';
import type { MailIntake } from './mail-intake.ts';

/** Takes the next waiting message and appends what becomes of it. False when none waits. Throws as the committer. */
export async function takeMail(options: {
  readonly address: string;
  readonly machine: AnyStateMachine;
  readonly journal: Journal;
  readonly expected?: { readonly parent: ParentRef; readonly incarnation: string } | undefined;
  readonly intake: MailIntake;
  readonly committer: Committer;
}): Promise<boolean> {
  const { address, machine, journal, expected, intake, committer } = options;
  const { fold } = journal;
  const isCommitted = (id: string): boolean => fold.unperformed.some(({ mail }) => mail?.id === id);
  for (;;) {
    const taken = intake.next(isCommitted);
    if (!taken) return false;
    const { message } = taken;
    const received = receive(message, { machine, address, state: fold.state, expected });
    if ('waits' in received) continue;
    if ('cause' in received) await committer.commit(received.cause);
    else {
      const { id, from, type, content } = message;
      const mail = { id, from, type, content };
      if ('late' in received) await committer.note(mail, { verdict: 'late', detail: received.late });
      else await committer.note(mail, { verdict: 'refused', ...received.refusal });
    }
    return true;
  }
}
