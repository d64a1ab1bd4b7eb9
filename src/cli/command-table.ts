import type { Call, CliCommand } from './command.ts';
import { ack } from './commands/ack.ts';
import { agent } from './commands/agent.ts';
import { agents } from './commands/agents.ts';
import { broadcast } from './commands/broadcast.ts';
import { createCompletion } from './commands/completion.ts';
import { dead } from './commands/dead.ts';
import { doctor } from './commands/doctor.ts';
import { graph } from './commands/graph.ts';
import { hook } from './commands/hook.ts';
import { hooks } from './commands/hooks.ts';
import { inbox } from './commands/inbox.ts';
import { init } from './commands/init.ts';
import { inspect } from './commands/inspect.ts';
import { join } from './commands/join.ts';
import { leave } from './commands/leave.ts';
import { log } from './commands/log.ts';
import { purge } from './commands/purge.ts';
import { read } from './commands/read.ts';
import { release } from './commands/release.ts';
import { renew } from './commands/renew.ts';
import { replay } from './commands/replay.ts';
import { reply } from './commands/reply.ts';
import { createRun } from './commands/run.ts';
import { send } from './commands/send.ts';
import { status } from './commands/status.ts';
import { stop } from './commands/stop.ts';
import { team } from './commands/team.ts';
import { watch } from './commands/watch.ts';
import { whoami } from './commands/whoami.ts';
import { why } from './commands/why.ts';
import { workflows } from './commands/workflows.ts';
import { createHelp } from './commands/help.ts';

/** Every command, in the order of the help. `carryOut` carries out `run`, and loads what it needs only then. */
export function createCommands(carryOut: (call: Call) => Promise<number>): readonly CliCommand[] {
  const commands: CliCommand[] = [
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
    team,
    createRun(carryOut),
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
  commands.push(
    createCompletion(() => commands),
    createHelp(() => commands),
  );
  return commands;
}
