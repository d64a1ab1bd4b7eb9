import { constants } from 'node:fs';
import { errnoOf } from '../host/file-system.ts';
import { removeQuietly } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { countUnread } from '../mailbox/early.ts';
import { actorLayout } from '../message/layout.ts';
import { knownCard, readCard, type TmuxPane } from './card.ts';
import { mailboxOf, type RoomContext } from './context.ts';
import type { NudgeReason } from './nudge-turns.ts';
import { lastSeenMs, touch } from './signs-of-life.ts';

/** The only text a nudge ever shows, whatever the message says. tmux would expand `#` and `%` in it. */
export const NUDGE_TEXT = 'Mail for an agent in this window. Read it with: mailroom read';

const COUNTS_MAX = 5;
/** The time of the nudge mark if the number of messages is shown but no bell rang. */
const NEVER_MS = 0;

export interface NudgeResult {
  /** `nudged` if a bell rang or a message was shown; `failed` if neither could be; `skipped` if nothing was tried. */
  readonly outcome: 'nudged' | 'failed' | 'skipped';
  /** What was done, what failed, or why nothing was tried. */
  readonly detail: string;
}

/** Nudges in this process. */
export async function nudgeInProcess(context: RoomContext, address: string, reason: NudgeReason): Promise<void> {
  if (isNudgeDue(context, address, reason)) await nudgeAgent(context, address, reason);
}

/**
 * Whether a nudge could change anything: cheap, because every send and every read asks. A claim only matters while the
 * agent's pane shows a number of messages. Never throws.
 */
export function isNudgeDue(context: RoomContext, address: string, reason: NudgeReason): boolean {
  try {
    if (reason === 'claimed' && !isMarked(context, address)) return false;
    return knownCard(context, address)?.tmux !== undefined;
  } catch {
    // Runs after the delivery, and must not turn it into an error.
    return false;
  }
}

/**
 * Tells the people who look at the agent's tmux pane that mail is waiting; presses no key. A delivery rings the bell
 * and shows a message, unless the mail was read meanwhile or an earlier nudge is outstanding. Every nudge sets the
 * number of waiting messages on the pane. Never rejects; the outcome of a delivery's nudge is logged.
 */
export async function nudgeAgent(context: RoomContext, address: string, reason: NudgeReason): Promise<NudgeResult> {
  const result = await tryNudge(context, address, reason).catch((error: unknown) => skipped(String(error)));
  if (reason === 'delivered') context.log.append({ event: 'nudged', to: address, ...result });
  return result;
}

async function tryNudge(context: RoomContext, address: string, reason: NudgeReason): Promise<NudgeResult> {
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
  const bell = nudgeStep(ringBell(host, look.tty), { done: 'rang the bell', failed: 'the bell did not ring' });
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
 * Sets the number on the pane to what is waiting now. Several processes may do so at once, so each counts again after
 * setting it. The mark says that a number is shown, so that a read knows it has to update one.
 */
async function showCount(context: RoomContext, address: string, pane: TmuxPane): Promise<NudgeStep> {
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
  return nudgeStep(failed, { done: `${UNREAD_OPTION} is ${count}`, failed: `${UNREAD_OPTION} was not set` });
}

async function tellViewers(
  context: RoomContext,
  address: string,
  { pane, viewers }: { pane: TmuxPane; viewers: readonly string[] },
): Promise<NudgeStep> {
  if (viewers.length === 0) return { isDone: false, text: 'no client shows the pane' };
  if (countWaiting(context, address) === 0) return { isDone: false, text: READ_MEANWHILE };
  const failed = await showMessage(context.host, pane, { viewers, text: NUDGE_TEXT });
  return nudgeStep(failed, { done: `showed a message in ${viewers.join(', ')}`, failed: 'no message was shown' });
}

interface NudgeStep {
  readonly isDone: boolean;
  readonly text: string;
}

function nudgeStep(why: string | undefined, { done, failed }: { done: string; failed: string }): NudgeStep {
  return why === undefined ? { isDone: true, text: done } : { isDone: false, text: `${failed}: ${why}` };
}

function skipped(detail: string): NudgeResult {
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

/** The pane option that holds the number of waiting messages, for status lines. */
const UNREAD_OPTION = '@mailroom_unread';

const TMUX_TIMEOUT_MS = 2_000;
const BEL = Uint8Array.of(0x07);
const OPEN_TERMINAL = constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
/** Where Linux, macOS and the BSDs keep terminals: opening any other device could do more than ring a bell. */
const TERMINAL = /^\/dev\/(?:pts\/\d+|tty\w+)$/;

/** The tmux pane a process runs in, from its environment; undefined outside tmux or if tmux does not answer. */
export async function currentPane(
  host: Host,
  env: Readonly<Record<string, string | undefined>>,
): Promise<TmuxPane | undefined> {
  const where = paneInEnvironment(env);
  if (!where) return undefined;
  const shown = await tmux(host, where, ['display-message', '-p', '-t', where.pane, '#{pid} #{pane_pid}']);
  const [serverPid, panePid] = shown.stdout.trim().split(' ').map(Number);
  const process = panePid ? host.processes.identify(panePid) : undefined;
  return shown.exitCode === 0 && serverPid && process ? { ...where, serverPid, process } : undefined;
}

/**
 * What `TMUX` and `TMUX_PANE` say (tmux(1), ENVIRONMENT): the first is socket, server pid and session, separated by
 * commas.
 */
export function paneInEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): { socket: string; pane: string } | undefined {
  const socket = env['TMUX']?.split(',')[0];
  const pane = env['TMUX_PANE'];
  return socket && pane && /^%\d+$/.test(pane) ? { socket, pane } : undefined;
}

export type PaneLook =
  | {
      /** Path of the pane's terminal. */
      readonly tty: string;
      /** The names of the clients whose screen shows the pane now. */
      readonly viewers: readonly string[];
    }
  /** Why the pane cannot be used; `isGone` if it never can be again. */
  | { readonly why: string; readonly isGone: boolean };

/** Checks that the pane is still the one on the card, and who views it. */
export async function lookAtPane(host: Host, card: TmuxPane): Promise<PaneLook> {
  const { pane, process, serverPid, socket } = card;
  if (host.processes.isElsewhere(process))
    return { why: `pane ${pane} is in another container or sandbox`, isGone: false };
  if (!host.processes.isAlive(process)) return { why: `the process of pane ${pane} has ended`, isGone: true };
  const paneFormat = '#{pid} #{pane_id} #{pane_pid} #{window_zoomed_flag} #{pane_active} #{window_id} #{pane_tty}';
  const clientFormat = '#{client_control_mode} #{window_id} #{client_name}';
  const ask = ['display-message', '-p', '-t', pane, paneFormat, ';', 'list-clients', '-F', clientFormat];
  const shown = await tmux(host, card, ask);
  if (shown.exitCode !== 0) {
    return { why: `tmux does not answer at ${socket}: ${firstLine(shown.stderr)}`, isGone: false };
  }
  const [facts = '', ...clients] = shown.stdout.split('\n');
  const [pid, id, panePid, isZoomed, isActive, window, tty = ''] = facts.split(' ');
  if (Number(pid) !== serverPid || id !== pane || Number(panePid) !== process.pid) {
    return { why: `pane ${pane} is a different one now`, isGone: true };
  }
  // A zoomed window shows only its active pane. A client in control mode has no status line for a message.
  const isHidden = isZoomed === '1' && isActive !== '1';
  const prefix = `0 ${window} `;
  const viewers = clients.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
  return { tty, viewers: isHidden ? [] : viewers };
}

/** Shows a line in the status line of these clients, where `#` and `%` are expanded; undefined, or why tmux refused. */
async function showMessage(
  host: Host,
  pane: TmuxPane,
  { viewers, text }: { viewers: readonly string[]; text: string },
): Promise<string | undefined> {
  const args = viewers.flatMap((client) => ['display-message', '-c', client, text, ';']);
  return refusalOf(await tmux(host, pane, args));
}

/** Sets the number of waiting messages as an option of the pane, or unsets it at 0; undefined, or why tmux refused. */
async function setUnread(host: Host, pane: TmuxPane, count: number): Promise<string | undefined> {
  const target = ['-p', '-t', pane.pane];
  const set = count > 0 ? [...target, UNREAD_OPTION, String(count)] : ['-u', ...target, UNREAD_OPTION];
  return refusalOf(await tmux(host, pane, ['set-option', ...set]));
}

/**
 * Writes BEL to a terminal as its programs do, so that tmux flags the window; undefined, or why it could not. Neither
 * blocks on a stopped terminal (Ctrl-S) nor makes it this process's controlling terminal.
 */
export function ringBell({ files }: Host, tty: string): string | undefined {
  if (!TERMINAL.test(tty)) return `${JSON.stringify(tty)} is not the path of a terminal`;
  let fd: number | undefined;
  try {
    fd = files.open(tty, OPEN_TERMINAL);
    if (files.fstat(fd).kind !== 'device') return `${tty} is not a terminal`;
    return files.write(fd, BEL, 0, BEL.length) === BEL.length ? undefined : `${tty} accepts no output`;
  } catch (error) {
    return `${tty} accepts no output (${errnoOf(error) ?? String(error)})`;
  } finally {
    if (fd !== undefined) files.close(fd);
  }
}

type TmuxResult = Awaited<ReturnType<Host['processes']['run']>>;

function tmux(host: Host, { socket }: { socket: string }, args: readonly string[]): Promise<TmuxResult> {
  return host.processes.run('tmux', ['-S', socket, ...args], { timeoutMs: TMUX_TIMEOUT_MS });
}

function refusalOf({ exitCode, stderr }: TmuxResult): string | undefined {
  return exitCode === 0 ? undefined : firstLine(stderr) || `exit code ${exitCode}`;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
