import type { NonReducibleUnknown } from 'xstate';
import { durableLogic, type DurableLogic, type OnCrash } from './durable-logic.ts';
import type { Invoked } from './xstate-logic.ts';

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
  // The input is what the machine of this logic gave, so it has the type that its author declared.
  const work: Activity = { kind: 'activity', run: run as Activity['run'], onCrash };
  return durableLogic(work);
}
