/**
 * `agent-mailroom/runtime`: running workflows and looking at them, and the ports to the system. What the file of a machine
 * imports is in `agent-mailroom/workflow`.
 *
 * @module
 */
export {
  runWorkflow,
  WorkflowHost,
  type RunOptions,
  type Workflow,
  type WorkflowOptions,
  type WorkflowResult,
} from './runtime/host.ts';
export type { RecordListener } from './runtime/tree.ts';
export { listWorkflows, type WorkflowInfo } from './journal/list.ts';
export { replayWorkflow, type Divergence, type ReplayReport } from './history/replay.ts';
export { namesKeptFromChildren } from './host/child-environment.ts';
export type { FileFacts, FileSystem } from './host/file-system.ts';
export type { Clock, Host, Lock, Watching } from './host/host.ts';
export { nodeHost } from './host/node-host.ts';
export type { Processes, RunResult } from './host/processes.ts';
export type { Watchdog } from './host/watchdog.ts';
export { checkMachine } from './step/check-machine.ts';
export { drawSvg } from './diagram/svg.ts';
export type { Effect } from './step/effect.ts';
export { toMermaid, type GraphOptions } from './diagram/mermaid.ts';
export { step, type Step, type StepInput } from './step/xstate-step.ts';
export type { WaitingFor } from './journal/describe.ts';
export type { WorkflowState, WorkflowStatus } from './step/workflow-state.ts';
export type { ErrorFacts } from './errors.ts';
export type { PlainEvent } from './workflow/plain-facts.ts';
