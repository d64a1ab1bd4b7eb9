import { cut } from 'agent-mailroom/workflow';
import type { z } from 'zod';
import type { Case } from './case.ts';
import { ballot, inquiry, news, reviewRequest } from './heard.ts';
import type { Member } from './member.ts';
import { quoted } from './quoted.ts';
import { reviewChange } from './review.ts';
import { hearNews } from './task-news.ts';
import { castVote } from './vote.ts';

/** What is to become of the member after a message. */
export type Dealt = 'stays' | 'leaves';

/** The workflow whose team it is, and by whose name those of its parts begin. */
const LOOP = 'autonomous-dev-loop';

/**
 * Deals with one message by its type and data. Work, reviews and votes are only taken from the workflow; what anybody else
 * asks is a question for the mind. What is not understood is only read.
 */
export async function deal(member: Member, one: Case): Promise<Dealt> {
  const { type, data, from } = one.message;
  const isOfLoop = from === LOOP || from.startsWith(`${LOOP}.`);
  if (type === 'REVIEW-REQUEST' && isOfLoop) {
    await reviewChange(member, one, reviewRequest.parse(data));
    return 'stays';
  }
  if (type === 'QUESTION' || type === 'REVIEW-REQUEST') {
    const vote = ballot.safeParse(data);
    if (!vote.success || !isOfLoop) await answerInquiry(member, one, inquiry.parse(data));
    else if (vote.data.electorate.includes(member.terms.address)) await castVote(member, one, vote.data);
    return 'stays';
  }
  const told = type === 'INFO' && isOfLoop ? news.safeParse(data) : undefined;
  if (!told?.success) return 'stays';
  if (told.data.kind === 'development-ended') return 'leaves';
  await hearNews(member, one, told.data);
  return 'stays';
}

/** Tells whoever waits for it that nothing comes of a message. */
export async function refuse(member: Member, one: Case, error: unknown): Promise<void> {
  const { from, type, data, id, threadId = id } = one.message;
  const why = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/gu, ' ');
  member.say(`${type} of ${from} failed: ${why}`);
  const told = type === 'INFO' ? news.safeParse(data) : undefined;
  const work = told?.success && (told.data.kind === 'start' || told.data.kind === 'rework') ? told.data : undefined;
  if (type === 'INFO' && !work) return;
  const reason = `${member.terms.address} cannot do it: ${cut(why, { charsMax: 900 })}`;
  await one.send('refusal', () => ({
    to: from,
    type: 'BLOCKED',
    ...(work
      ? { content: `blocked:${work.taskId} ${reason}`, data: { taskId: work.taskId, epoch: work.epoch, reason } }
      : { content: reason, data: { failed: true, reason }, replyTo: id, threadId }),
  }));
  if (work) member.holding.giveBack(work.taskId);
}

/** Passes a question on to the mind, and its answer back: research, a plan, whatever is asked. */
async function answerInquiry(_member: Member, one: Case, { replySchema }: z.output<typeof inquiry>): Promise<void> {
  const { from, id, content, threadId = id } = one.message;
  const thought = await one.ask('inquiry', () => ({
    // What is asked by one is one conversation: who plans has looked around before.
    threadId: cut(`questions of ${from}`, { charsMax: 200 }),
    content: [`A question from ${from}. Please answer it without changing files.`, '', quoted(content)].join('\n'),
    ...(replySchema === undefined ? {} : { replySchema }),
  }));
  await one.send('reply', () => ({
    to: from,
    type: thought.isFailure ? 'BLOCKED' : 'INFO',
    content: thought.content,
    ...(thought.data === undefined ? {} : { data: thought.data }),
    replyTo: id,
    threadId,
  }));
}
