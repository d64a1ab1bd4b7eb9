import type { Case } from './case.ts';
import type { News } from './heard.ts';
import type { Member } from './member.ts';
import { giveBack, reworkTask, startTask } from './work.ts';

/** Deals with what the distribution of the tasks tells. */
export async function hearNews(
  member: Member,
  one: Case,
  news: Exclude<News, { kind: 'development-ended' }>,
): Promise<void> {
  const { holding } = member;
  const { from } = one.message;
  switch (news.kind) {
    case 'available':
      holding.offered(from, news.tasks);
      return claimNext(member, one);
    case 'refused':
      holding.offered(from, news.tasks);
      if (holding.task?.taskId === news.taskId && holding.task.state !== 'at-work') holding.free();
      return claimNext(member, one);
    case 'done':
      holding.offered(from, news.tasks);
      if (holding.task?.taskId === news.taskId) holding.free();
      return claimNext(member, one);
    case 'lost':
      if (holding.task?.taskId === news.taskId && holding.task.epoch === news.epoch) holding.free();
      return claimNext(member, one);
    default:
      if (!holding.mayBegin(news, from)) {
        return giveBack(member, one, {
          work: news,
          reason: 'this agent has not claimed the task, or no longer holds it',
        });
      }
      holding.begin(news, from);
      return news.kind === 'start' ? startTask(member, one, news) : reworkTask(member, one, news);
  }
}

/** Claims the first of what is offered, if it has no task. */
async function claimNext({ holding, say }: Member, one: Case): Promise<void> {
  const choice = one.once('choice', () => holding.wanted());
  if (choice === null) return;
  holding.claim(choice);
  const { taskId, distributor } = choice;
  await one.send('claim', () => ({ to: distributor, type: 'CLAIM', content: taskId, data: { taskId } }));
  say(`claims ${taskId}`);
}
