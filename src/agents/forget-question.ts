import { isMailroomError } from '../errors.ts';
import { namesIn } from '../host/files.ts';
import { cancelJob, listJobs, removeJob, sweepRemoved } from '../jobs/end-job.ts';
import { actorLayout } from '../message/layout.ts';
import { mailboxOf, type RoomContext } from '../room/context.ts';
import { findMail } from '../room/find-mail.ts';
import { idOfKey } from './question.ts';
import { removeDirectory } from './records.ts';

/** Removes the jobs of an acknowledged question, then its records. */
export async function forgetQuestion(context: RoomContext, address: string, key: string): Promise<void> {
  const { host, layout } = context;
  const { jobs, agent } = actorLayout(layout, address);
  for (const name of listJobs(host, jobs).filter((one) => one.startsWith(`${key}.`))) {
    const job = `${jobs}/${name}`;
    // A job that still runs belongs to a process that lost the message to another one.
    await cancelJob(host, job);
    removeJob(host, job);
  }
  removeDirectory(host, `${agent.questions}/${key}`);
}

/** The same for questions whose agent was killed between acknowledgement and removal. A dead letter may come back, so its answer is kept. */
export async function forgetAcknowledged(context: RoomContext, address: string): Promise<void> {
  const { agent, jobs } = actorLayout(context.layout, address);
  sweepRemoved(context.host, jobs);
  for (const key of namesIn(context.host.files, agent.questions)) {
    const id = idOfKey(key);
    if (id !== undefined && isSettled(context, address, id)) await forgetQuestion(context, address, key);
  }
}

function isSettled(context: RoomContext, address: string, id: string): boolean {
  const mailbox = mailboxOf(context, address);
  if (!mailbox) return false;
  try {
    return findMail(mailbox, id).state === 'acknowledged';
  } catch (error) {
    if (isMailroomError(error)) return error.code === 'MESSAGE_NOT_FOUND';
    throw error;
  }
}
