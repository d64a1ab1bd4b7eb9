/** One mark for every copy of this package that a process may load. */
const ACTION = Symbol.for('mailroom.action');

export interface ActionContext {
  /** The same at every repetition of this action. */
  readonly effectId: string;
}

export type ActionRun = (params: unknown, context: ActionContext) => unknown;

/**
 * A custom action of a machine: something small to do outside, after the step is committed. It sees its `params` and
 * nothing else, and is repeated with the same effect id when the host was killed around it. What it throws is written to
 * the log and changes nothing: where the outcome matters, invoke an activity.
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
