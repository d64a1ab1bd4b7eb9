import { blockingHost } from '../../host/node-host.ts';
import { runHook } from '../run-hook.ts';

/** Runs a hook that has something to do. */
export function carryOut(input: string, hook: { program: string; name: string }): Promise<void> {
  const nudgeProgram = `${__dirname}/nudge.cjs`;
  return runHook(input, { ...hook, host: blockingHost, mailroom: `${__dirname}/mailroom.cjs`, nudgeProgram });
}
