import type { AgentProgram } from './agents.ts';
import { IS_SOURCE, machineFile } from './mailroom-command.ts';
import { memberWords, mindOf } from './member/terms.ts';
import type { AgentOption } from './options.ts';
import type { Ground } from './preflight.ts';
import { thinkerWords } from './thinker.ts';

/** An agent of the user's as a member of the team. Throws NotStarted when its program is not on this machine. */
export function memberProgram(
  agent: AgentOption,
  { ground, directory, setup }: { ground: Ground; directory: string; setup: string | undefined },
): AgentProgram {
  const { address, by } = agent;
  const { directory: repository, testCommand } = ground;
  const words = memberWords({
    address,
    directory,
    repository,
    testCommand,
    setup,
    mind: thinkerWords(agent, directory),
  });
  return {
    address,
    file: process.execPath,
    // It is started in the directory of the run, from where tsx is not found by its name.
    args: [...(IS_SOURCE ? ['--import', import.meta.resolve('tsx')] : []), machineFile('main-job/member'), ...words],
    behind: mindOf(address),
    isKept: true,
    shown: by,
  };
}
