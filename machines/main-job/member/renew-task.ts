import type { Agent } from 'agent-mailroom';
import type { Holding } from './holding.ts';

/** Well below the ten minutes for which a task is its holder's after the last message about it. */
const RENEW_EVERY_MS = 60_000;
/** A vote takes an hour at most. A task about which nothing comes of it goes to somebody else. */
const DISPUTED_RENEWALS_MAX = 90;

/** Says now and then that a task is still being worked on, also while there is a vote on it. One that is missed is nothing. */
export function renewTask(agent: Agent, holding: Holding, signal: AbortSignal): void {
  let disputedRenewals = 0;
  const timer = setInterval(() => {
    const { task } = holding;
    disputedRenewals = task?.state === 'disputed' ? disputedRenewals + 1 : 0;
    const isMine =
      task?.state === 'at-work' || (task?.state === 'disputed' && disputedRenewals < DISPUTED_RENEWALS_MAX);
    if (!task || !isMine) return;
    const { taskId, epoch, distributor: to } = task;
    const letter = { to, type: 'INFO', content: `${taskId}: still at it`, data: { taskId, epoch } };
    void agent.send(letter).catch(() => {});
  }, RENEW_EVERY_MS);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}
