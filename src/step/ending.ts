import { END, STOP } from '../workflow/control.ts';
import type { PlannedMessage } from './outgoing.ts';
import type { ErrorFacts, WorkflowCall, WorkflowState, WorkflowStatus } from './workflow-state.ts';

/** The data of a child's END. */
export interface ChildEnding {
  readonly incarnation: string;
  readonly status: WorkflowStatus;
  readonly output?: unknown;
  readonly error?: ErrorFacts;
}

/** The mail of a workflow that has ended: STOP to each running child, END to the parent. */
export function endingMail(options: {
  readonly address: string;
  readonly state: WorkflowState;
  readonly calls: Readonly<Record<string, WorkflowCall>>;
  readonly status: WorkflowStatus;
  readonly output: unknown;
  readonly error: ErrorFacts | undefined;
  readonly nextId: () => string;
}): PlannedMessage[] {
  const { address, state, calls, status, output, error, nextId } = options;
  const mail = Object.values(calls).flatMap((call) => stopMail(call, nextId));
  const { parent, incarnation } = state;
  if (!parent) return mail;
  const ending: ChildEnding = {
    incarnation,
    status,
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
  };
  const draft = { type: END, content: `${address} has ended: ${status}`, data: ending };
  return [...mail, { id: nextId(), effectId: `${incarnation}.end`, to: [parent.address], draft, isControl: true }];
}

/** The END of a child whose output or error no message can carry (`why`): the parent would wait for ever for a refused END. */
export function endingWithout(mail: PlannedMessage, why: ErrorFacts): PlannedMessage {
  const { incarnation, status, error } = mail.draft.data as ChildEnding;
  const what = error === undefined ? 'output' : 'error';
  const instead: ChildEnding = {
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

/** The STOP for a child machine; empty for any other call. */
export function stopMail(call: WorkflowCall, nextId: () => string): PlannedMessage[] {
  if (call.kind !== 'machine') return [];
  const { address, effectId } = call;
  const draft = { type: STOP, content: 'Your parent no longer waits for you.', data: { incarnation: effectId } };
  return [{ id: nextId(), effectId: `${effectId}.stop`, to: [address], draft, isControl: true }];
}
