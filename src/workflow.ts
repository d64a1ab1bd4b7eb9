/**
 * What the file of a machine needs, and nothing that runs one: it is loaded with each machine, also by whoever only looks
 * at it. What runs them is in `runtime.ts`.
 */
export { runIfMain } from './durable/run-if-main.ts';
export { childEnvironment } from './host/child-environment.ts';
export type { CommandResult, JobSpec } from './jobs/job.ts';
export { accepts, type Accepts, type DeliveryFailed, type Received } from './machine/accepts.ts';
export { action, type ActionContext } from './machine/action.ts';
export { activity, type Activity, type ActivityContext } from './machine/activity.ts';
export { ask, type Answer, type Ask, type AskOptions } from './machine/ask.ts';
export { command, type Command } from './machine/command.ts';
export type { DurableLogic, OnCrash } from './machine/durable-logic.ts';
export type { MailSchema } from './machine/mail-schema.ts';
export type { Outgoing } from './machine/outgoing.ts';
export { broadcast, reply, tell, type TellOptions } from './machine/tell.ts';
export { cut } from './message/cut.ts';
export { plainOutput, visible, visibleLines } from './message/visible.ts';
