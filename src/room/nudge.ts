import { removeQuietly } from '../host/files.ts';
import { nextTurn } from '../host/next-turn.ts';
import { actorLayout } from '../message/layout.ts';
import { readCard, type TmuxPane } from './card.ts';
import type { Nudger, RoomContext } from './context.ts';
import { knownCard } from './known-card.ts';
import { lastSeenMs, touch } from './signs-of-life.ts';

/**
 * The only thing ever typed into somebody's terminal, whoever wrote and whatever: a no-op in every shell that follows
 * POSIX (the `:` utility), and a sentence to a model.
 */
export const NUDGE_LINE = ': You have new mail. Read it with the command: mailroom read';

const TRIES_MAX = 3;
const BACKOFF_MS = 500;
/** Programs that take fast typing for a paste take an Enter within 120 ms of it for a line break in the paste. */
const ENTER_PAUSE_MS = 300;
const TMUX_TIMEOUT_MS = 2_000;

export type Nudged = { readonly outcome: 'nudged' } | { readonly outcome: 'skipped'; readonly why: string };

/** Nudges in this process, off the sending path: one look at the cards for all that was sent in this turn. */
export const nudgeInProcess: Nudger = (context, address) => {
  const { nudgesDue, nudging } = context;
  nudgesDue.add(address);
  if (nudgesDue.size > 1) return;
  const nudged = nextTurn()
    .then(() => {
      const due = [...nudgesDue];
      // What is delivered from here on is a nudge of its own: these may already have been answered by then.
      nudgesDue.clear();
      return Promise.all(due.filter((one) => isNudgeable(context, one)).map((one) => nudgeAgent(context, one)));
    })
    .finally(() => nudging.delete(nudged));
  nudging.add(nudged);
};

/** Whether a nudge could be tried at all: cheap, so that a send to an agent without a terminal costs nothing. Never throws. */
export function isNudgeable(context: RoomContext, address: string): boolean {
  try {
    return knownCard(context, address)?.tmux !== undefined;
  } catch {
    // It is asked after the delivery, and must not turn that into an error.
    return false;
  }
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
  const { keysTyped, why } = await typeNudge(context, pane);
  // While nothing stands in the pane no nudge is outstanding, and the next message may try.
  if (keysTyped === 0) removeQuietly(host.files, nudgedPath);
  return keysTyped === KEYS.length ? { outcome: 'nudged' } : { outcome: 'skipped', why };
}

const KEYS: readonly (readonly string[])[] = [['-l', '--', NUDGE_LINE], ['Enter']];

/** Types what has not been typed yet, at every try after a look whether it still is that pane. */
async function typeNudge(context: RoomContext, pane: TmuxPane): Promise<{ keysTyped: number; why: string }> {
  const { clock } = context.host;
  let keysTyped = 0;
  let why = '';
  for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
    if (attempt > 1) await clock.sleep(BACKOFF_MS * (attempt - 1));
    const seen = await lookAtPane(context, pane);
    why = seen.why;
    if (seen.pane === 'another') break;
    if (seen.pane === 'busy') continue;
    for (const keys of KEYS.slice(keysTyped)) {
      if (keysTyped > 0) await clock.sleep(ENTER_PAUSE_MS);
      const sent = await tmux(context, pane, ['send-keys', '-t', pane.pane, ...keys]);
      why = sent.exitCode === 0 ? '' : `tmux send-keys failed: ${firstLine(sent.stderr)}`;
      if (why !== '') break;
      keysTyped += 1;
    }
    if (keysTyped === KEYS.length) break;
  }
  return { keysTyped, why };
}

/** Whether the pane is the one on the card; `busy` while it shows its history, where keys are commands. */
async function lookAtPane(
  context: RoomContext,
  { pane, process, serverPid, socket }: TmuxPane,
): Promise<{ pane: 'ready' | 'busy' | 'another'; why: string }> {
  const another = (why: string): { pane: 'another'; why: string } => ({ pane: 'another', why });
  if (!context.host.processes.isAlive(process)) return another(`the process of pane ${pane} has ended`);
  const format = '#{pid} #{pane_id} #{pane_pid} #{pane_in_mode}';
  const shown = await tmux(context, { socket }, ['display-message', '-p', '-t', pane, format]);
  if (shown.exitCode !== 0) return another(`tmux does not answer at ${socket}: ${firstLine(shown.stderr)}`);
  const facts = shown.stdout.trim();
  const mine = `${serverPid} ${pane} ${process.pid}`;
  if (facts === `${mine} 0`) return { pane: 'ready', why: '' };
  if (facts.startsWith(`${mine} `)) return { pane: 'busy', why: `pane ${pane} shows its history` };
  return another(`pane ${pane} is another one now`);
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

function tmux(
  { host }: RoomContext,
  { socket }: Pick<TmuxPane, 'socket'>,
  args: readonly string[],
): ReturnType<typeof host.processes.run> {
  return host.processes.run('tmux', ['-S', socket, ...args], { timeoutMs: TMUX_TIMEOUT_MS });
}
