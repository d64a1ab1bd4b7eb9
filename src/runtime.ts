/** What a program needs that runs workflows, or looks at them. What a machine's own file needs is in `workflow.ts`. */
export { runWorkflow, type RunOptions } from './durable/run-workflow.ts';
export { WorkflowHost, type Workflow, type WorkflowOptions, type WorkflowResult } from './durable/workflow-host.ts';
export type { RecordListener } from './durable/workflow-family.ts';
export { listWorkflows, type WorkflowInfo } from './durable/list-workflows.ts';
export { replayWorkflow, type Divergence, type Replayed } from './durable/replay.ts';
export { Fenced, WorkflowFailed } from './errors.ts';
export { namesKeptFromChildren } from './host/child-environment.ts';
export { nodeHost } from './host/node-host.ts';
export { checkMachine } from './machine/check-machine.ts';
export { drawSvg } from './machine/draw-svg.ts';
export type { Effect } from './machine/effect.ts';
export { toMermaid, type GraphOptions } from './machine/graph.ts';
export { step, type Step, type StepInput } from './machine/step.ts';
export { openRoom } from './room/room.ts';
