import type { LoopInput } from '../autonomous-dev/input.ts';
import { memberWords, mindOf } from '../member/terms.ts';
import { IS_SOURCE, machineFile } from '../shared/mailroom-command.ts';
import type { AgentProgram } from './agents.ts';
import type { AgentOption } from './options.ts';
import type { AgentLimits } from './run-directory.ts';
import { thinkerWords } from './thinker.ts';

const MINUTES_DEFAULT = 15;

/** One of the user's agents as a member of the team. Throws NotStarted if its program is not on this machine. */
export function memberProgram(
  agent: AgentOption,
  { directory, input, limits }: { directory: string; input: LoopInput; limits: AgentLimits },
): AgentProgram {
  const { address, by } = agent;
  const { repository, testCommand, testMinutes = MINUTES_DEFAULT } = input;
  const words = memberWords({
    address,
    directory,
    repository: repository.directory,
    testCommand,
    setup: repository.setup,
    testMinutes,
    setupMinutes: repository.setupMinutes ?? MINUTES_DEFAULT,
    mind: thinkerWords(agent, directory, limits),
  });
  return {
    address,
    file: process.execPath,
    // The member starts in the directory of the run, where tsx cannot be resolved by name.
    args: [...(IS_SOURCE ? ['--import', import.meta.resolve('tsx')] : []), machineFile('team/member'), ...words],
    behind: mindOf(address),
    isKept: true,
    shown: by,
  };
}
