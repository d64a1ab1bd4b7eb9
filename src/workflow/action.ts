/** One mark for every copy of this package that a process may load. */
const ACTION = Symbol.for('mailroom.action');

/** What an action is given in addition to its params. */
export interface ActionContext {
  /** The same for every run of this action in this step: use it to make the action idempotent. */
  readonly effectId: string;
}

export type ActionRun = (params: unknown, context: ActionContext) => unknown;

/**
 * A custom action of a machine: a small side effect that runs after its step is committed, at least once. It sees only its
 * `params`. An error is written to the log and changes nothing; where the outcome matters, invoke an `activity`.
 *
 * @example
 * ```ts
 * import { action } from 'agent-mailroom/workflow';
 * import { setup } from 'xstate';
 *
 * export const machine = setup({
 *   actions: {
 *     note: action(({ line }: { line: string }, { effectId }) => console.error(effectId, line)),
 *   },
 * }).createMachine({
 *   id: 'noter',
 *   entry: { type: 'note', params: { line: 'started' } },
 * });
 * ```
 */
export function action<TParams = undefined>(
  run: (params: TParams, context: ActionContext) => void | Promise<void>,
): (args: unknown, params: TParams) => void {
  const refuse = (): never => {
    throw new TypeError('this action is run by Mailroom: start the machine with runWorkflow or mailroom run');
  };
  return Object.assign(refuse, { [ACTION]: run });
}

/** The function that `action` was given; undefined for any other function. */
export function actionRunOf(implementation: unknown): ActionRun | undefined {
  if (typeof implementation !== 'function' || !(ACTION in implementation)) return undefined;
  return implementation[ACTION] as ActionRun;
}
