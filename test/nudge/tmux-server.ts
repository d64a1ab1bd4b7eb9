import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { nodeHost } from '../../src/host/node-host.ts';
import type { TmuxPane } from '../../src/index.ts';
import { currentPane } from '../../src/room/nudge.ts';
import { until } from '../hostile/until.ts';

/** Without tmux these tests are skipped on a developer's machine, and fail where everything must be tested. */
export const skipWithoutTmux = spawnSync('tmux', ['-V']).status !== 0 && process.env['MAILROOM_CI'] === undefined;

/** A tmux server of its own, which no terminal of this machine's user is attached to. */
export interface TmuxServer extends AsyncDisposable {
  readonly directory: string;
  readonly pid: number;
  run(...args: readonly string[]): string;
  /** Runs a shell command in a pane of its own and returns what an agent in it would put on its card. */
  open(command: string): Promise<TmuxPane>;
  /** Whether the pane's window has the bell flag. */
  isBellFlagged(pane: TmuxPane): boolean;
  /** The pane's option for status lines, '' if it has none. */
  unread(pane: TmuxPane): string;
}

export async function startTmux(): Promise<TmuxServer> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-tmux-'));
  const socket = path.join(directory, 'sock');
  const run = (...args: readonly string[]): string =>
    execFileSync('tmux', ['-S', socket, '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: { ...process.env, TMUX: '', HOME: directory, TERM: 'screen' },
    }).trim();
  run('new-session', '-d', '-x', '200', '-y', '50', '-c', directory, 'cat');
  const pid = Number(run('display-message', '-p', '#{pid}'));
  return {
    directory,
    pid,
    run,
    open: async (command) => {
      const pane = run('new-window', '-d', '-P', '-F', '#{pane_id}', '-c', directory, command);
      const found = await currentPane(nodeHost, { TMUX: `${socket},${pid},0`, TMUX_PANE: pane });
      if (!found) throw new Error(`pane ${pane} was not found again`);
      return found;
    },
    isBellFlagged: ({ pane }) => run('display-message', '-p', '-t', pane, '#{window_bell_flag}') === '1',
    unread: ({ pane }) => run('display-message', '-p', '-t', pane, '#{@mailroom_unread}'),
    [Symbol.asyncDispose]: async () => {
      try {
        process.kill(pid, 'SIGCONT');
        process.kill(pid, 'SIGTERM');
      } catch {
        // A test has ended it.
      }
      await until('the tmux server ended', () => !nodeHost.processes.identify(pid));
      fs.rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A pane that records every byte typed into it. */
export async function openRecorder(server: TmuxServer): Promise<{ pane: TmuxPane; recorded: () => string }> {
  const file = path.join(server.directory, `recorded-${fs.readdirSync(server.directory).length}`);
  const pane = await server.open(`stty raw -echo && touch ${file} && exec cat -u >> ${file}`);
  await until('the recorder listens', () => fs.existsSync(file));
  return { pane, recorded: () => fs.readFileSync(file, 'latin1') };
}

/** A person's terminal with a client of the server on it: a pane of another server. Disposed before the server. */
export interface Viewer extends AsyncDisposable {
  screen(): string;
}

/** Shows the server's session to a person. Messages stay until a key, so that no test depends on how long they stay. */
export async function openViewer(server: TmuxServer): Promise<Viewer> {
  const terminal = await startTmux();
  server.run('set-option', '-g', 'display-time', '0');
  const { pane } = await terminal.open(`env -u TMUX tmux -S ${server.directory}/sock attach`);
  await until('the client is attached', () => server.run('list-clients') !== '');
  return {
    screen: () => terminal.run('capture-pane', '-p', '-t', pane),
    [Symbol.asyncDispose]: () => terminal[Symbol.asyncDispose](),
  };
}
