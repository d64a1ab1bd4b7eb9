import { actorLayout } from '../message/layout.ts';
import { readCard, type TmuxPane } from './card.ts';
import type { Nudger, RoomContext } from './context.ts';
import { lastSeenMs, touch } from './signs-of-life.ts';

/**
 * The only thing ever typed into somebody's terminal, whoever wrote and whatever: a no-op in every shell that follows
 * POSIX (the `:` utility), and a sentence to a model.
 */
export const NUDGE_LINE = ': You have new mail. Read it with the command: mailroom read';

const TRIES_MAX = 3;
const BACKOFF_MS = 500;
const TMUX_TIMEOUT_MS = 2_000;

export type Nudged = { readonly outcome: 'nudged' } | { readonly outcome: 'skipped'; readonly why: string };

/** Nudges in this process, off the sending path. */
export const nudgeInProcess: Nudger = (context, address) => {
  if (!isNudgeable(context, address)) return;
  const nudging = nudgeAgent(context, address).finally(() => context.nudging.delete(nudging));
  context.nudging.add(nudging);
};

/** Whether a nudge could be tried at all: cheap, so that a send to an agent without a terminal costs nothing. */
export function isNudgeable(context: RoomContext, address: string): boolean {
  return readCard(context.host, context.layout, address)?.tmux !== undefined;
}

/**
 * Types the constant line into the agent's tmux pane, if server, pane and process are still those of its card and no
 * earlier nudge is outstanding. Never rejects; what happened is in the log.
 */
export async function nudgeAgent(context: RoomContext, address: string): Promise<Nudged> {
  const result = await tryNudge(context, address).catch((error: unknown): Nudged => ({
    outcome: 'skipped',
    why: String(error),
  }));
  const detail = result.outcome === 'skipped' ? { detail: result.why } : {};
  context.log.append({ event: 'nudged', to: address, outcome: result.outcome, ...detail });
  return result;
}

async function tryNudge(context: RoomContext, address: string): Promise<Nudged> {
  const { host, layout, config } = context;
  const pane = readCard(host, layout, address)?.tmux;
  if (!pane) return { outcome: 'skipped', why: 'its card names no tmux pane' };
  const now = host.clock.now();
  const nudgedPath = actorLayout(layout, address).nudged;
  const nudgedMs = host.files.lstat(nudgedPath)?.mtimeMs;
  const isAnswered = nudgedMs === undefined || (lastSeenMs(context, address) ?? 0) > nudgedMs;
  if (!isAnswered && Math.abs(now - nudgedMs) < config.limits.nudgeOutstandingMsMax) {
    return { outcome: 'skipped', why: 'an earlier nudge is outstanding' };
  }
  touch(context, nudgedPath);
  let why = '';
  for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
    const stale = await whyNotThatPane(context, pane);
    if (stale) return { outcome: 'skipped', why: stale };
    why = (await typeLine(context, pane)) ?? '';
    if (why === '') return { outcome: 'nudged' };
    if (attempt < TRIES_MAX) await host.clock.sleep(BACKOFF_MS * attempt);
  }
  return { outcome: 'skipped', why };
}

/** Why the pane is not the one on the card any more; undefined when it is. */
async function whyNotThatPane({ host }: RoomContext, pane: TmuxPane): Promise<string | undefined> {
  if (!host.processes.isAlive(pane.process)) return `the process of pane ${pane.pane} has ended`;
  const shown = await tmux(host, pane, ['display-message', '-p', '-t', pane.pane, '#{pid} #{pane_id} #{pane_pid}']);
  if (shown.exitCode !== 0) return `tmux does not answer at ${pane.socket}: ${shown.stderr.split('\n')[0] ?? ''}`;
  const expected = `${pane.serverPid} ${pane.pane} ${pane.process.pid}`;
  return shown.stdout.trim() === expected ? undefined : `pane ${pane.pane} is another one now`;
}

async function typeLine({ host }: RoomContext, pane: TmuxPane): Promise<string | undefined> {
  for (const keys of [['-l', '--', NUDGE_LINE], ['Enter']]) {
    const sent = await tmux(host, pane, ['send-keys', '-t', pane.pane, ...keys]);
    if (sent.exitCode !== 0) return `tmux send-keys failed: ${sent.stderr.split('\n')[0] ?? ''}`;
  }
  return undefined;
}

function tmux(host: RoomContext['host'], pane: TmuxPane, args: string[]): ReturnType<typeof host.processes.run> {
  return host.processes.run('tmux', ['-S', pane.socket, ...args], { timeoutMs: TMUX_TIMEOUT_MS });
}
