/**
 * `agent-mailroom/workflow`: what the file of a machine imports. It is loaded with every machine, also by a program that only
 * looks at one, so nothing here runs machines: `agent-mailroom/runtime` does.
 *
 * @module
 */
export { childEnvironment } from './host/child-environment.ts';
export type { CommandResult, JobSpec } from './jobs/job.ts';
export { accepts, type Accepts, type DeliveryFailed, type MailSchema, type Received } from './workflow/accepts.ts';
export { action, type ActionContext } from './workflow/action.ts';
export {
  activity,
  command,
  type Activity,
  type ActivityContext,
  type Command,
  type DurableLogic,
  type OnCrash,
} from './workflow/activity.ts';
export { ask, type Answer, type Ask, type AskOptions } from './workflow/ask.ts';
export { isChild } from './workflow/is-child.ts';
export { runIfMain } from './workflow/run-if-main.ts';
export { broadcast, reply, tell, type Outgoing, type TellOptions } from './workflow/send.ts';
export { cut } from './message/cut.ts';
export { plainOutput, visible, visibleLines } from './message/visible.ts';
