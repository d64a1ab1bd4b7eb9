import type { NonReducibleUnknown } from 'xstate';
import type { CommandResult, JobSpec } from '../jobs/job.ts';
import { durableLogic, type DurableLogic, type OnCrash } from './durable-logic.ts';

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
  // The input is what the machine of this logic gave, so it has the type that its author declared.
  const work: Command = { kind: 'command', spec: spec as Command['spec'], onCrash };
  return durableLogic(work);
}
