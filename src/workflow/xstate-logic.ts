import { InvalidInput } from '../errors.ts';

/** The functions of XState by which actor logic that is no machine is made. */
export type LogicMaker = 'fromPromise' | 'fromCallback' | 'fromObservable' | 'fromTransition';

/** A promise of XState as work: it runs at least once, as an `activity` does. */
export interface PromiseWork {
  readonly kind: 'activity';
  readonly run: (input: unknown, invoked: Invoked) => unknown;
  readonly onCrash: 'rerun';
  /** What was given to `fromPromise`. */
  readonly creator: PromiseCreator;
}

/** What work is told besides its input. */
export interface Invoked {
  readonly effectId: string;
  readonly signal: AbortSignal;
  /** The id of the invoke, or of the spawned child. */
  readonly childId: string;
  /** Its name among the machine's actors. */
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
 * By which function of XState a logic was made; undefined for any other. XState leaves no mark on it, and a process may load
 * several copies of XState: so it is told by what it does, without running what was given to it.
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
    // A callback has something of its own for each actor, and this is none.
    return 'fromCallback';
  }
}

/** A promise of XState as work; undefined for any other logic. */
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

/** What XState gives to a promise, as far as it can be had where the promise may be run again in another process. */
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

/** An object of which only what is named can be had; the rest says so. */
function only(parts: object, { name, src }: { name: string; src: string }): object {
  return new Proxy(parts, {
    get: (target, key) => {
      // Whoever awaits or prints something asks for these.
      if (key in target || typeof key === 'symbol' || key === 'then' || key === 'toJSON')
        return Reflect.get(target, key);
      throw notHere(`${name}.${key}`, src);
    },
  });
}

function notHere(what: string, src: string): InvalidInput {
  return new InvalidInput(
    `The promise "${src}" used ${what}, which it cannot have in a workflow: it has input, signal, self.id, self.src and ` +
      'self.sessionId (its effect id). Return what the machine is to know; it sends in onDone.',
  );
}
