import type { replayWorkflow } from '../durable/replay.ts';
import type { runWorkflow } from '../durable/run-workflow.ts';
import { resolveModule } from '../host/resolve-module.ts';
import type { checkMachine } from '../machine/check-machine.ts';
import type { drawSvg } from '../machine/draw-svg.ts';
import type { toMermaid } from '../machine/graph.ts';
import type { openRoom } from '../room/room.ts';

/** What the commands use of `agent-mailroom/workflow`. */
export interface WorkflowLibrary {
  readonly checkMachine: typeof checkMachine;
  readonly drawSvg: typeof drawSvg;
  readonly openRoom: typeof openRoom;
  readonly replayWorkflow: typeof replayWorkflow;
  readonly runWorkflow: typeof runWorkflow;
  readonly toMermaid: typeof toMermaid;
}

const LIBRARY: string = 'agent-mailroom/workflow';

/**
 * The runtime that belongs to a machine's file: the copy which that file itself imports, because a machine and its runtime
 * must share one; this command's own where the file finds none.
 */
export async function loadLibrary(machineFile: string | undefined): Promise<WorkflowLibrary> {
  const found = machineFile === undefined ? undefined : resolveModule(LIBRARY, machineFile);
  return (await import(found ?? LIBRARY)) as WorkflowLibrary;
}
