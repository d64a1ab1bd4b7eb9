/**
 * What the file of a machine needs, without what runs machines: this entry is loaded with every machine, also to draw or check
 * one. `runtime.ts` runs machines.
 */
export { runIfMain } from './workflow/run-if-main.ts';
export { childEnvironment } from './host/child-environment.ts';
export type { CommandResult, JobSpec } from './jobs/job.ts';
export { accepts, type Accepts, type DeliveryFailed, type Received } from './workflow/accepts.ts';
export { action, type ActionContext } from './workflow/action.ts';
export { activity, type Activity, type ActivityContext } from './workflow/activity.ts';
export { ask, type Answer, type Ask, type AskOptions } from './workflow/ask.ts';
export { command, type Command } from './workflow/activity.ts';
export type { DurableLogic, OnCrash } from './workflow/activity.ts';
export type { MailSchema } from './workflow/accepts.ts';
export type { Outgoing } from './workflow/send.ts';
export { broadcast, reply, tell, type TellOptions } from './workflow/send.ts';
export { cut } from './message/cut.ts';
export { plainOutput, visible, visibleLines } from './message/visible.ts';
