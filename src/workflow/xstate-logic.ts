import { InvalidInput } from '../errors.ts';

/** The functions of XState that make actor logic other than machines. */
export type LogicMaker = 'fromPromise' | 'fromCallback' | 'fromObservable' | 'fromTransition';

/** XState's promise logic as work: it runs at least once, as an `activity` does. */
export interface PromiseWork {
  readonly kind: 'activity';
  readonly run: (input: unknown, invoked: Invoked) => unknown;
  readonly onCrash: 'rerun';
  /** The function that `fromPromise` was given. */
  readonly creator: PromiseCreator;
}

/** What work is given in addition to its input. */
export interface Invoked {
  readonly effectId: string;
  readonly signal: AbortSignal;
  /** The id of the invoke, or of the spawned child. */
  readonly childId: string;
  /** The name of the logic among the machine's actors. */
  readonly src: string;
}

type PromiseCreator = (args: Readonly<Record<string, unknown>>) => unknown;

interface Logic {
  readonly config: unknown;
  readonly start?: unknown;
  readonly transition: (snapshot: object, event: object, scope: object) => { readonly output?: unknown } | undefined;
  readonly getInitialSnapshot: (scope: undefined, input: undefined) => object;
}

/**
 * Which function of XState made a logic; undefined for any other. XState leaves no mark on the logic, and a process may load
 * several copies of XState, so the logic is recognised by its behaviour, without running the author's function.
 */
export function makerOf(logic: unknown): LogicMaker | undefined {
  if (!isLogic(logic)) return undefined;
  if (typeof logic.start !== 'function') return 'fromTransition';
  try {
    if ('_subscription' in logic.getInitialSnapshot(undefined, undefined)) return 'fromObservable';
    const result = {};
    const settled = logic.transition(
      { status: 'active' },
      { type: 'xstate.promise.resolve', data: result },
      { self: {} },
    );
    return settled?.output === result ? 'fromPromise' : undefined;
  } catch {
    // Callback logic keeps something for each actor, and `self` here is not an actor that it knows.
    return 'fromCallback';
  }
}

/** XState's promise logic as work; undefined for any other logic. */
export function promiseWorkOf(logic: unknown): PromiseWork | undefined {
  if (!isLogic(logic) || makerOf(logic) !== 'fromPromise') return undefined;
  const creator = logic.config as PromiseCreator;
  return {
    kind: 'activity',
    run: (input, invoked) => creator(argsOf(input, invoked)),
    onCrash: 'rerun',
    creator,
  };
}

function isLogic(logic: unknown): logic is Logic {
  if (typeof logic !== 'object' || logic === null || !('config' in logic)) return false;
  const { transition, getInitialSnapshot } = logic as Partial<Logic>;
  return (
    typeof logic.config === 'function' && typeof transition === 'function' && typeof getInitialSnapshot === 'function'
  );
}

/** What XState gives to a promise, as far as that is possible for a promise that may run again in another process. */
function argsOf(input: unknown, { effectId, signal, childId, src }: Invoked): Readonly<Record<string, unknown>> {
  return {
    input,
    signal,
    self: only({ id: childId, sessionId: effectId, src }, { name: 'self', src }),
    system: only({}, { name: 'system', src }),
    emit: () => {
      throw notHere('emit()', src);
    },
  };
}

/** An object that has only these parts; access to any other member throws InvalidInput. */
function only(parts: object, { name, src }: { name: string; src: string }): object {
  return new Proxy(parts, {
    get: (target, key) => {
      // Awaiting or printing a value reads these.
      if (key in target || typeof key === 'symbol' || key === 'then' || key === 'toJSON')
        return Reflect.get(target, key);
      throw notHere(`${name}.${key}`, src);
    },
  });
}

function notHere(what: string, src: string): InvalidInput {
  return new InvalidInput(
    `The promise "${src}" used ${what}, which is not available in a workflow: it has input, signal, self.id, self.src and ` +
      'self.sessionId (its effect id). Return what the machine needs, and have it send in onDone.',
  );
}
