import { fromPromise, type NonReducibleUnknown, type PromiseActorLogic } from 'xstate';
import type { CommandResult, JobSpec } from '../jobs/job.ts';
import { type Invoked, promiseWorkOf } from './xstate-logic.ts';

/** What an activity is given in addition to its input. */
export interface ActivityContext {
  /** The same for every run of this activity: pass it on as an idempotency key. */
  readonly effectId: string;
  /** Aborts when the machine no longer waits for the result, or the host closes. An activity that ignores it keeps running. */
  readonly signal: AbortSignal;
}

/** What `activity` was given, for the runtime. */
export interface Activity {
  /** Tells an activity from other work. */
  readonly kind: 'activity';
  /** The function of the activity. */
  readonly run: (input: unknown, context: Invoked) => unknown;
  /** What happens if the host dies while the activity runs. */
  readonly onCrash: OnCrash;
}

/**
 * A function that a machine invokes, run by the host. It runs at least once, or at most once with `onCrash: 'fail'`. Its output
 * must be JSON. What it throws becomes the invoke's error.
 *
 * @param run The work: gets the invoke's input, a stable `effectId` and a `signal`.
 * @param options `onCrash`: what happens if the host dies while the activity runs. Default: `rerun`.
 *
 * @example
 * ```ts
 * import { activity } from 'agent-mailroom/workflow';
 * import { setup } from 'xstate';
 *
 * export const machine = setup({
 *   actors: {
 *     fetchTitle: activity(async ({ url }: { url: string }, { signal }) => {
 *       const response = await fetch(url, { signal });
 *       return { title: (await response.text()).slice(0, 80) };
 *     }),
 *   },
 * }).createMachine({
 *   id: 'titles',
 *   initial: 'fetching',
 *   states: {
 *     fetching: {
 *       invoke: { src: 'fetchTitle', input: { url: 'https://example.com' }, onDone: 'done', onError: 'failed' },
 *     },
 *     done: { type: 'final' },
 *     failed: { type: 'final' },
 *   },
 * });
 * ```
 */
export function activity<TInput extends NonReducibleUnknown, TOutput>(
  run: (input: TInput, context: ActivityContext) => Promise<TOutput>,
  { onCrash = 'rerun' }: { readonly onCrash?: OnCrash } = {},
): DurableLogic<TInput, TOutput, Activity> {
  // The machine of this logic made the input, so the input has the type that the author declared.
  const work: Activity = { kind: 'activity', run: run as Activity['run'], onCrash };
  return durableLogic(work);
}

/** What `command` was given, for the runtime. */
export interface Command {
  /** Tells a command from other work. */
  readonly kind: 'command';
  /** How the command is made from the invoke's input. */
  readonly spec: (input: unknown) => JobSpec;
  /** What happens if the command is cut off. */
  readonly onCrash: OnCrash;
}

/**
 * A program that a machine invokes, without a shell. It survives its host: the next host of the workflow attaches to the
 * running program instead of starting a second one. It is done with any exit code, and fails only if it cannot be started.
 *
 * @param spec Makes the command from the invoke's input.
 * @param options `onCrash`: what happens if the program's wrapper is killed or the computer restarts. Default: `rerun`.
 *
 * @example
 * ```ts
 * import { command } from 'agent-mailroom/workflow';
 * import { setup } from 'xstate';
 *
 * export const machine = setup({
 *   actors: {
 *     test: command(({ cwd }: { cwd: string }) => ({ file: 'npm', args: ['test'], cwd, timeoutMs: 600_000 })),
 *   },
 * }).createMachine({
 *   id: 'tested',
 *   initial: 'testing',
 *   states: {
 *     testing: {
 *       invoke: {
 *         src: 'test',
 *         input: { cwd: '/work/project' },
 *         onDone: [{ guard: ({ event }) => event.output.exitCode === 0, target: 'green' }, { target: 'red' }],
 *         onError: 'red',
 *       },
 *     },
 *     green: { type: 'final' },
 *     red: { type: 'final' },
 *   },
 * });
 * ```
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

/** What happens to work that may have been cut off by a crash: run it again, or fail it. */
export type OnCrash = 'rerun' | 'fail';

/** Actor logic that Mailroom runs itself, so that it survives the process. `activity`, `ask` and `command` make it. */
export type DurableLogic<TInput, TOutput, TWork> = PromiseActorLogic<TOutput, TInput> & {
  /** @internal */
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
