import { nodeHost } from '../../host/node-host.ts';
import { splitLine } from '../command-line.ts';
import type { Command } from '../command.ts';
import { ack } from '../commands/ack.ts';
import { agent } from '../commands/agent.ts';
import { agents } from '../commands/agents.ts';
import { broadcast } from '../commands/broadcast.ts';
import { createCompletion } from '../commands/completion.ts';
import { dead } from '../commands/dead.ts';
import { doctor } from '../commands/doctor.ts';
import { hook } from '../commands/hook.ts';
import { graph } from '../commands/graph.ts';
import { createHelp, findCommand } from '../commands/help.ts';
import { hooks } from '../commands/hooks.ts';
import { inbox } from '../commands/inbox.ts';
import { init } from '../commands/init.ts';
import { inspect } from '../commands/inspect.ts';
import { join } from '../commands/join.ts';
import { leave } from '../commands/leave.ts';
import { log } from '../commands/log.ts';
import { purge } from '../commands/purge.ts';
import { read } from '../commands/read.ts';
import { release } from '../commands/release.ts';
import { renew } from '../commands/renew.ts';
import { replay } from '../commands/replay.ts';
import { reply } from '../commands/reply.ts';
import { createRun } from '../commands/run.ts';
import { send } from '../commands/send.ts';
import { status } from '../commands/status.ts';
import { stop } from '../commands/stop.ts';
import { createVersion } from '../commands/version.ts';
import { watch } from '../commands/watch.ts';
import { whoami } from '../commands/whoami.ts';
import { why } from '../commands/why.ts';
import { workflows } from '../commands/workflows.ts';
import { runCommandLine } from '../run-command.ts';

declare const MAILROOM_VERSION: string;

/** Runs a command line of any command, of one that does not exist, or of somebody who asks for help. */
export async function runAny(
  words: readonly string[],
  { nudgeProgram = `${__dirname}/nudge.cjs` }: { nudgeProgram?: string } = {},
): Promise<void> {
  const commands: Command[] = [
    init,
    join,
    hooks,
    leave,
    whoami,
    agents,
    send,
    broadcast,
    reply,
    inbox,
    read,
    ack,
    release,
    renew,
    status,
    watch,
    log,
    agent,
    hook,
    createRun(async (call) => (await import('./run.ts')).carryOut(call)),
    workflows,
    why,
    stop,
    graph,
    replay,
    inspect,
    dead,
    purge,
    doctor,
  ];
  const help = createHelp(() => commands);
  commands.push(
    createCompletion(() => commands),
    help,
  );
  const explain = (asked: readonly string[]): Promise<void> => runAny(asked, { nudgeProgram });
  const runLine = (line: readonly string[], find: () => Command): Promise<void> =>
    runCommandLine(line, { find, explain, host: nodeHost, program: `${__dirname}/mailroom.cjs`, nudgeProgram });
  const { name, at, asks } = splitLine(words);
  if (asks === 'version') return runLine(['version'], () => createVersion(MAILROOM_VERSION));
  if (asks === 'help') return runLine(name === undefined ? ['help'] : ['help', name], () => help);
  // Whatever stands there without a command is looked at, too.
  if (name === undefined) return runLine(['help', ...words], () => help);
  return runLine(words, () => findCommand(commands, name, { words, at }));
}
