import { removeQuietly } from '../host/files.ts';
import { countUnread } from '../mailbox/early.ts';
import { actorLayout } from '../message/layout.ts';
import { readCard, type TmuxPane } from './card.ts';
import { mailboxOf, type Nudger, type RoomContext } from './context.ts';
import { knownCard } from './known-card.ts';
import type { NudgeReason } from './nudge-turns.ts';
import { lastSeenMs, touch } from './signs-of-life.ts';
import { lookAtPane, ringBell, setUnread, showMessage, UNREAD_OPTION } from './tmux-pane.ts';

/** All that a nudge ever shows, whatever the message says. tmux would expand `#` and `%` in it. */
export const NUDGE_TEXT = 'Mail for an agent in this window. Read it with: mailroom read';

const COUNTS_MAX = 5;
/** The time on the mark of a nudge where the number of messages is shown and no bell rang. */
const NEVER_MS = 0;

export interface Nudged {
  /** `nudged` when a bell rang or a message was shown; `failed` when neither could be. */
  readonly outcome: 'nudged' | 'failed' | 'skipped';
  /** What was done, what failed, or why nothing was tried. */
  readonly detail: string;
}

/** Nudges in this process. */
export const nudgeInProcess: Nudger = async (context, address, reason) => {
  if (isNudgeDue(context, address, reason)) await nudgeAgent(context, address, reason);
};

/**
 * Whether a nudge could change anything: cheap, because each send and each read asks it. A claim only matters while the
 * agent's pane shows a number of messages. Never throws.
 */
export function isNudgeDue(context: RoomContext, address: string, reason: NudgeReason): boolean {
  try {
    if (reason === 'claimed' && !isMarked(context, address)) return false;
    return knownCard(context, address)?.tmux !== undefined;
  } catch {
    // It is asked after the delivery, and must not turn that into an error.
    return false;
  }
}

/**
 * Tells the people who look at the agent's tmux pane that mail waits, and presses no key. A delivery rings the bell and
 * shows a message, unless the mail was read meanwhile or an earlier nudge is outstanding. Every nudge sets the number of
 * waiting messages on the pane. Never rejects; what became of a delivery's nudge is in the log.
 */
export async function nudgeAgent(context: RoomContext, address: string, reason: NudgeReason): Promise<Nudged> {
  const result = await tryNudge(context, address, reason).catch((error: unknown) => skipped(String(error)));
  if (reason === 'delivered') context.log.append({ event: 'nudged', to: address, ...result });
  return result;
}

async function tryNudge(context: RoomContext, address: string, reason: NudgeReason): Promise<Nudged> {
  const { host, layout } = context;
  const pane = readCard(host, layout, address)?.tmux;
  if (!pane) return skipped('its card names no tmux pane');
  if (countWaiting(context, address) === 0 && !isMarked(context, address)) return skipped(READ_MEANWHILE);
  const look = await lookAtPane(host, pane);
  if ('why' in look) {
    if (look.isGone) removeQuietly(host.files, markPath(context, address));
    return skipped(look.why);
  }
  const skip = whyNoBell(context, address, reason);
  if (skip !== undefined) return skipped(`${skip}; ${(await showCount(context, address, pane)).text}`);
  // Before the bell, so that it rings once for several senders.
  touch(context, markPath(context, address));
  const bell = step(ringBell(host, look.tty), { done: 'rang the bell', failed: 'the bell did not ring' });
  const count = await showCount(context, address, pane);
  const message = await tellViewers(context, address, { pane, viewers: look.viewers });
  const isNudged = bell.isDone || message.isDone;
  // The next message may try again.
  if (!isNudged && isMarked(context, address)) touch(context, markPath(context, address), NEVER_MS);
  const detail = [bell, message, count].map(({ text }) => text).join('; ');
  return { outcome: isNudged ? 'nudged' : 'failed', detail };
}

const READ_MEANWHILE = 'its mail was read meanwhile';

function whyNoBell(context: RoomContext, address: string, reason: NudgeReason): string | undefined {
  if (reason === 'claimed') return 'mail was read';
  if (countWaiting(context, address) === 0) return READ_MEANWHILE;
  const nudgedMs = context.host.files.lstat(markPath(context, address))?.mtimeMs;
  if (nudgedMs === undefined || (lastSeenMs(context, address) ?? 0) > nudgedMs) return undefined;
  const isOld = Math.abs(context.host.clock.now() - nudgedMs) >= context.config.limits.nudgeOutstandingMsMax;
  return isOld ? undefined : 'an earlier nudge is outstanding';
}

/**
 * Sets the number on the pane to what waits now. Several processes may do so at once, so each counts again after it has
 * set it. The mark says that a number is shown, so that a read knows there is one to set.
 */
async function showCount(context: RoomContext, address: string, pane: TmuxPane): Promise<Step> {
  const { host } = context;
  let failed: string | undefined;
  let count = countWaiting(context, address);
  for (let set = 1; set <= COUNTS_MAX; set++) {
    if (count > 0 && !isMarked(context, address)) touch(context, markPath(context, address), NEVER_MS);
    failed = await setUnread(host, pane, count);
    if (count === 0) removeQuietly(host.files, markPath(context, address));
    const now = countWaiting(context, address);
    if (failed !== undefined || now === count) break;
    count = now;
  }
  return step(failed, { done: `${UNREAD_OPTION} is ${count}`, failed: `${UNREAD_OPTION} was not set` });
}

async function tellViewers(
  context: RoomContext,
  address: string,
  { pane, viewers }: { pane: TmuxPane; viewers: readonly string[] },
): Promise<Step> {
  if (viewers.length === 0) return { isDone: false, text: 'no client shows the pane' };
  if (countWaiting(context, address) === 0) return { isDone: false, text: READ_MEANWHILE };
  const failed = await showMessage(context.host, pane, { viewers, text: NUDGE_TEXT });
  return step(failed, { done: `showed a message in ${viewers.join(', ')}`, failed: 'no message was shown' });
}

interface Step {
  readonly isDone: boolean;
  readonly text: string;
}

function step(why: string | undefined, { done, failed }: { done: string; failed: string }): Step {
  return why === undefined ? { isDone: true, text: done } : { isDone: false, text: `${failed}: ${why}` };
}

function skipped(detail: string): Nudged {
  return { outcome: 'skipped', detail };
}

function countWaiting(context: RoomContext, address: string): number {
  const mailbox = mailboxOf(context, address);
  return mailbox ? countUnread(mailbox) : 0;
}

function markPath({ layout }: RoomContext, address: string): string {
  return actorLayout(layout, address).nudged;
}

function isMarked(context: RoomContext, address: string): boolean {
  return context.host.files.lstat(markPath(context, address)) !== undefined;
}
