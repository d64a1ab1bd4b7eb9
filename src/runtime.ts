/** What a program needs to run or inspect workflows. What the file of a machine needs is in `workflow.ts`. */
export { runWorkflow, type RunOptions } from './runtime/host.ts';
export { WorkflowHost, type Workflow, type WorkflowOptions, type WorkflowResult } from './runtime/host.ts';
export type { RecordListener } from './runtime/tree.ts';
export { listWorkflows, type WorkflowInfo } from './journal/list.ts';
export { replayWorkflow, type Divergence, type Replayed } from './history/replay.ts';
export { Fenced, WorkflowFailed } from './errors.ts';
export { namesKeptFromChildren } from './host/child-environment.ts';
export { nodeHost } from './host/node-host.ts';
export { checkMachine } from './step/check-machine.ts';
export { drawSvg } from './diagram/svg.ts';
export type { Effect } from './step/effect.ts';
export { toMermaid, type GraphOptions } from './diagram/mermaid.ts';
export { step, type Step, type StepInput } from './step/xstate-step.ts';
export { openRoom } from './room/room.ts';
