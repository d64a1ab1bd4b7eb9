import { constants } from 'node:fs';
import { errnoOf } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import type { TmuxPane } from './card.ts';

/** The pane option that holds the number of waiting messages, for status lines. */
export const UNREAD_OPTION = '@mailroom_unread';

const TMUX_TIMEOUT_MS = 2_000;
const BEL = Uint8Array.of(0x07);
const OPEN_TERMINAL = constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
/** Where Linux, macOS and the BSDs keep terminals: opening any other device could do more than ring a bell. */
const TERMINAL = /^\/dev\/(?:pts\/\d+|tty\w+)$/;

/** The tmux pane a process runs in, from its environment; undefined outside tmux or when tmux does not answer. */
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

/** What `TMUX` and `TMUX_PANE` say (tmux(1), ENVIRONMENT): the first is socket, server pid and session, with commas. */
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
  /** Why the pane cannot be used; `isGone` when it never can be again. */
  | { readonly why: string; readonly isGone: boolean };

/** Looks whether the pane is still the one on the card, and who views it. */
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
    return { why: `pane ${pane} is another one now`, isGone: true };
  }
  // A zoomed window shows its active pane alone. A client in control mode has no status line for a message.
  const isHidden = isZoomed === '1' && isActive !== '1';
  const prefix = `0 ${window} `;
  const viewers = clients.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
  return { tty, viewers: isHidden ? [] : viewers };
}

/** Shows a line in the status line of these clients; undefined, or why tmux refused. `#` and `%` are expanded in it. */
export async function showMessage(
  host: Host,
  pane: TmuxPane,
  { viewers, text }: { viewers: readonly string[]; text: string },
): Promise<string | undefined> {
  const args = viewers.flatMap((client) => ['display-message', '-c', client, text, ';']);
  return refusalOf(await tmux(host, pane, args));
}

/** Sets the number of waiting messages as an option of the pane, or removes it at 0; undefined, or why tmux refused. */
export async function setUnread(host: Host, pane: TmuxPane, count: number): Promise<string | undefined> {
  const target = ['-p', '-t', pane.pane];
  const set = count > 0 ? [...target, UNREAD_OPTION, String(count)] : ['-u', ...target, UNREAD_OPTION];
  return refusalOf(await tmux(host, pane, ['set-option', ...set]));
}

/**
 * Writes BEL to a terminal as its programs do, so that tmux flags the window; undefined, or why it could not. It neither
 * waits for a terminal that is stopped (Ctrl-S), nor becomes one's session.
 */
export function ringBell({ files }: Host, tty: string): string | undefined {
  if (!TERMINAL.test(tty)) return `${JSON.stringify(tty)} is no path of a terminal`;
  let fd: number | undefined;
  try {
    fd = files.open(tty, OPEN_TERMINAL);
    if (files.fstat(fd).kind !== 'device') return `${tty} is no terminal`;
    return files.write(fd, BEL, 0, BEL.length) === BEL.length ? undefined : `${tty} takes nothing`;
  } catch (error) {
    return `${tty} takes nothing (${errnoOf(error) ?? String(error)})`;
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
