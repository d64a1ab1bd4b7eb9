import type { replayWorkflow } from '../durable/replay.ts';
import type { runWorkflow } from '../durable/run-workflow.ts';
import { resolveModule } from '../host/resolve-module.ts';
import type { checkMachine } from '../machine/check-machine.ts';
import type { drawSvg } from '../machine/draw-svg.ts';
import type { toMermaid } from '../machine/graph.ts';
import type { openRoom } from '../room/room.ts';
import { importModule } from './import-module.ts';

/** What runs a machine. */
export interface Runner {
  readonly openRoom: typeof openRoom;
  readonly runWorkflow: typeof runWorkflow;
}

/** What the commands use of `agent-mailroom/runtime`. */
export interface Runtime extends Runner {
  readonly checkMachine: typeof checkMachine;
  readonly drawSvg: typeof drawSvg;
  readonly replayWorkflow: typeof replayWorkflow;
  readonly toMermaid: typeof toMermaid;
}

/** The runner that this command has in itself, and the URL of the module that has the same one for programs. */
export interface OwnRunner {
  readonly runner: Runner;
  readonly url: string;
}

const RUNTIME: string = 'agent-mailroom/runtime';

/**
 * The runtime that belongs to a machine's file: of the package which that file itself imports, because a machine and its
 * runtime must share one xstate; this command's own where the file finds none.
 */
export async function loadRuntime(machineFile: string | undefined): Promise<Runtime> {
  return (await importModule(runtimeOf(machineFile) ?? RUNTIME)) as Runtime;
}

/** The same, of which `own` need not be loaded once more. */
export async function loadRunner(machineFile: string, own: OwnRunner): Promise<Runner> {
  const found = runtimeOf(machineFile);
  return found === undefined || found === own.url ? own.runner : ((await importModule(found)) as Runtime);
}

function runtimeOf(machineFile: string | undefined): string | undefined {
  return machineFile === undefined ? undefined : resolveModule(RUNTIME, machineFile);
}
