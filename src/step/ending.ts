import { END, STOP } from '../workflow/control.ts';
import type { PlannedMail } from './outgoing.ts';
import type { ErrorFacts, WorkflowCall, WorkflowState, WorkflowStatus } from './workflow-state.ts';

/** What the END of a child says. */
export interface Ending {
  readonly incarnation: string;
  readonly status: WorkflowStatus;
  readonly output?: unknown;
  readonly error?: ErrorFacts;
}

/** The mail of a workflow that has ended: STOP to children that still run, END to its parent. */
export function endingMail(options: {
  readonly address: string;
  readonly state: WorkflowState;
  readonly calls: Readonly<Record<string, WorkflowCall>>;
  readonly status: WorkflowStatus;
  readonly output: unknown;
  readonly error: ErrorFacts | undefined;
  readonly nextId: () => string;
}): PlannedMail[] {
  const { address, state, calls, status, output, error, nextId } = options;
  const mail = Object.values(calls).flatMap((call) => stopMail(call, nextId));
  const { parent, incarnation } = state;
  if (!parent) return mail;
  const ending: Ending = {
    incarnation,
    status,
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
  };
  const draft = { type: END, content: `${address} has ended: ${status}`, data: ending };
  return [...mail, { id: nextId(), effectId: `${incarnation}.end`, to: [parent.address], draft, isControl: true }];
}

/** The END of a child whose output or error no message can carry (`why`): its parent would wait for ever for what was refused. */
export function endingWithout(mail: PlannedMail, why: ErrorFacts): PlannedMail {
  const { incarnation, status, error } = mail.draft.data as Ending;
  const what = error === undefined ? 'output' : 'error';
  const instead: Ending = {
    incarnation,
    status: 'error',
    error: {
      name: 'EndingNotSent',
      message:
        `The child has ended (${status}), but its ${what} cannot be sent: ${why.message} ` +
        `It lies in the child's journal; have the child end with what a message can carry, such as the path of a file.`,
      ...(why.code === undefined ? {} : { code: why.code }),
    },
  };
  return { ...mail, draft: { ...mail.draft, data: instead } };
}

/** The STOP for a child machine; nothing for any other call. */
export function stopMail(call: WorkflowCall, nextId: () => string): PlannedMail[] {
  if (call.kind !== 'machine') return [];
  const { address, effectId } = call;
  const draft = { type: STOP, content: 'Your parent no longer waits for you.', data: { incarnation: effectId } };
  return [{ id: nextId(), effectId: `${effectId}.stop`, to: [address], draft, isControl: true }];
}
