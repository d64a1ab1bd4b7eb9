import { fromPromise, type NonReducibleUnknown, type PromiseActorLogic } from 'xstate';
import type { CommandResult, JobSpec } from '../jobs/job.ts';
import { type Invoked, promiseWorkOf } from './xstate-logic.ts';

export interface ActivityContext {
  /** The same at every repetition of this activity: give it to whatever can tell by it that it was done already. */
  readonly effectId: string;
  /** Aborts when the machine no longer waits for the result, or the host leaves. */
  readonly signal: AbortSignal;
}

export interface Activity {
  readonly kind: 'activity';
  readonly run: (input: unknown, context: Invoked) => unknown;
  readonly onCrash: OnCrash;
}

/**
 * Real work that a machine invokes: `activity(async (input, { effectId, signal }) => output)`. It runs at least once,
 * with a stable effect id; its output must be JSON. With `onCrash: 'fail'` it runs at most once: when the host dies
 * meanwhile, the machine gets an error instead of a second run.
 */
export function activity<TInput extends NonReducibleUnknown, TOutput>(
  run: (input: TInput, context: ActivityContext) => Promise<TOutput>,
  { onCrash = 'rerun' }: { readonly onCrash?: OnCrash } = {},
): DurableLogic<TInput, TOutput, Activity> {
  // The machine of this logic made the input, so the input has the type that the author declared.
  const work: Activity = { kind: 'activity', run: run as Activity['run'], onCrash };
  return durableLogic(work);
}

export interface Command {
  readonly kind: 'command';
  readonly spec: (input: unknown) => JobSpec;
  readonly onCrash: OnCrash;
}

/**
 * An outside program that a machine invokes: `command((input) => ({ file, args, cwd, timeoutMs }))`. It survives its
 * host: whoever goes on with the workflow re-attaches to it instead of running it twice. Done with any exit code; failed
 * when it could not be started. `onCrash` is about the program's own watcher being killed, or the machine restarted.
 */
export function command<TInput extends NonReducibleUnknown>(
  spec: (input: TInput) => JobSpec,
  { onCrash = 'rerun' }: { readonly onCrash?: OnCrash } = {},
): DurableLogic<TInput, CommandResult, Command> {
  // The machine of this logic made the input, so the input has the type that the author declared.
  const work: Command = { kind: 'command', spec: spec as Command['spec'], onCrash };
  return durableLogic(work);
}

/** One mark for every copy of this package that a process may load. */
const DURABLE = Symbol.for('mailroom.durable');

/** What became of work that may have been under way when its host was killed: do it again, or report it as failed. */
export type OnCrash = 'rerun' | 'fail';

/** Actor logic that the runtime performs itself, outside of XState, so that it survives the process. */
export type DurableLogic<TInput, TOutput, TWork> = PromiseActorLogic<TOutput, TInput> & {
  readonly [DURABLE]: TWork;
};

/** XState sees a promise, which gives `onDone` and `onError` their types; XState never runs it. */
export function durableLogic<TInput extends NonReducibleUnknown, TOutput, TWork extends { readonly kind: string }>(
  work: TWork,
): DurableLogic<TInput, TOutput, TWork> {
  const logic = fromPromise<TOutput, TInput>(() =>
    Promise.reject(
      new TypeError(`this ${work.kind} is run by Mailroom: start the machine with runWorkflow or mailroom run`),
    ),
  );
  return Object.assign(logic, { [DURABLE]: work });
}

/** The work that `durableLogic` or `fromPromise` was given; undefined for any other logic. */
export function durableWorkOf(logic: unknown): { readonly kind: string } | undefined {
  if (typeof logic !== 'object' || logic === null) return undefined;
  if (!(DURABLE in logic)) return promiseWorkOf(logic);
  return logic[DURABLE] as { readonly kind: string };
}
