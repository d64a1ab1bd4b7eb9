import type { Host } from '../host/host.ts';
import type { TmuxPane } from './card.ts';

const TMUX_TIMEOUT_MS = 2_000;

/** The tmux pane a process runs in, from its environment; undefined outside tmux or when tmux does not answer. */
export async function currentPane(
  host: Host,
  env: Readonly<Record<string, string | undefined>>,
): Promise<TmuxPane | undefined> {
  const where = paneInEnvironment(env);
  if (!where) return undefined;
  const args = ['-S', where.socket, 'display-message', '-p', '-t', where.pane, '#{pid} #{pane_pid}'];
  const shown = await host.processes.run('tmux', args, { timeoutMs: TMUX_TIMEOUT_MS });
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
