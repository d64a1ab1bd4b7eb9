import type { Clock } from '../host/clock.ts';
import type { Activities } from './activities.ts';
import { dueTimers } from './due-timers.ts';
import type { Happenings } from './happenings.ts';
import { takeMail, type TakingMail } from './take-mail.ts';

/** Messages taken between two looks at the timers. */
const MAIL_PER_PASS_MAX = 64;
/** Records whose consequences are outstanding before other mail than what a timer lets pass waits for them. */
export const UNPERFORMED_MAX = 64;

export interface TakingDue extends TakingMail {
  readonly clock: Clock;
  readonly activities: Activities;
  /** What a person asks for when it is opened: to begin, to try again, to give up. */
  readonly asked: Happenings;
  readonly happened: Happenings;
  readonly outstanding: () => number;
}

/**
 * Takes what is due now, in its order: what was asked for, timers, each behind the mail that was sent and the commands that ended
 * before it was due, what happened in this process, other mail. Of a FAILED workflow everything but what was asked for, and a
 * STOP, waits. Throws as the committer.
 */
export async function takeDue(taking: TakingDue): Promise<void> {
  const { journal, committer, clock, activities, asked, happened, outstanding } = taking;
  const { fold } = journal;
  await asked.take({ fold, committer });
  let taken = 0;
  for (const cause of dueTimers(fold.state, clock.now())) {
    if (await activities.resultsUntil(cause.dueAt)) await happened.take({ fold, committer });
    taken += await takeMail(taking, { max: MAIL_PER_PASS_MAX - taken, sentBefore: cause.dueAt });
    // An earlier one may have cancelled it, or failed.
    if (fold.state?.timers[cause.timer]?.dueAt !== cause.dueAt || fold.state.failed) continue;
    await committer.commit(cause);
  }
  await happened.take({ fold, committer });
  await takeMail(taking, { max: Math.min(MAIL_PER_PASS_MAX, UNPERFORMED_MAX - outstanding()) - taken });
}
