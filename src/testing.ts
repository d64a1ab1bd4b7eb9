/**
 * `agent-mailroom/testing`: `explore` goes through everything that a system of workflows can do, `crashMatrix` kills a workflow at
 * every place where it can die.
 *
 * @module
 */
export {
  crashMatrix,
  type CrashedWorkflow,
  type CrashFailure,
  type CrashMatrixOptions,
  type CrashReport,
  type FinishedRun,
} from './testing/crash/matrix.ts';
export type { JournalCounts } from './testing/crash/check-journals.ts';
export type { CrashResult } from './testing/crash/run-workflows.ts';
export { explore, type End, type Exploration, type ExploreOptions, type Violation } from './testing/explore/explore.ts';
export { assertEnds, ExplorationFailed, formatExploration } from './testing/explore/report.ts';
export type {
  DeadLetter,
  FailedStep,
  Finding,
  Findings,
  UndeliveredMail,
  UnhandledEvent,
} from './testing/explore/findings.ts';
export type {
  ActivityUnderTest,
  AgentAnswer,
  AgentMail,
  AgentUnderTest,
  Machines,
  Outcome,
  SituationSeen,
  SystemUnderTest,
  WorkflowSeen,
} from './testing/explore/system.ts';
