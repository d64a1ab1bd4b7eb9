import type { NonReducibleUnknown, PromiseActorLogic } from 'xstate';
import { fromPromise } from 'xstate';
import { promiseWorkOf } from './xstate-logic.ts';

/** One mark for every copy of this package that a process may load. */
const DURABLE = Symbol.for('mailroom.durable');

/** What became of work that may have been under way when its host was killed: do it again, or report it as failed. */
export type OnCrash = 'rerun' | 'fail';

/** Actor logic that the runtime performs itself, outside of XState, so that it survives the process. */
export type DurableLogic<TInput, TOutput, TWork> = PromiseActorLogic<TOutput, TInput> & {
  readonly [DURABLE]: TWork;
};

/** To XState it is a promise, which gives `onDone` and `onError` their types; it is never run as one. */
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

/** The work that was given to `durableLogic` or `fromPromise`; undefined for any other logic. */
export function durableWorkOf(logic: unknown): { readonly kind: string } | undefined {
  if (typeof logic !== 'object' || logic === null) return undefined;
  if (!(DURABLE in logic)) return promiseWorkOf(logic);
  return logic[DURABLE] as { readonly kind: string };
}
