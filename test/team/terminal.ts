import fs from 'node:fs';
import path from 'node:path';
import { until } from '../hostile/until.ts';
import { nodeHost } from '../../src/runtime.ts';
import { startTmux, type TmuxServer } from '../nudge/tmux-server.ts';
import { processesAbout } from '../runtime/orphans.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const PATIENCE_MS = 120_000;
/** Not more often, because each look reads every process of the machine. */
const LOOK_EVERY_MS = 100;
/** Longer than a program between npm and the host might wait for the host. */
const BUSY_MS = 500;

/** `npm start` in a terminal: a pane of a tmux server of its own. */
export class Terminal implements AsyncDisposable {
  readonly #server: TmuxServer;
  #starts = 0;

  private constructor(server: TmuxServer) {
    this.#server = server;
  }

  static async open(): Promise<Terminal> {
    return new Terminal(await startTmux());
  }

  /**
   * Starts the example, ends it once its agents have joined, and resolves with the output when no process is left. A
   * busy run sees the signal after a while.
   */
  async endStarted(
    how: (pane: string) => readonly string[],
    { isBusy = false }: { isBusy?: boolean } = {},
  ): Promise<string> {
    const runs = path.join(this.#server.directory, `runs-${++this.#starts}`);
    const file = `${runs}.txt`;
    const line = `exec npm start -- --runs ${runs} > ${file} 2>&1`;
    const pane = this.#server.run('new-window', '-d', '-P', '-F', '#{pane_id}', '-c', ROOT, line);
    const printed = (): string => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '');
    await until(
      () => `the agents are there: ${printed()}`,
      () => printed().includes('agents: '),
      PATIENCE_MS,
    );
    const host = JSON.parse(fs.readFileSync(path.join(runs, 'tally-1', 'hosts', '1.json'), 'utf8')) as { pid: number };
    if (isBusy) process.kill(host.pid, 'SIGSTOP');
    this.#server.run(...how(pane));
    if (isBusy) {
      await new Promise((resolve) => setTimeout(resolve, BUSY_MS));
      if (nodeHost.processes.identify(host.pid)) process.kill(host.pid, 'SIGCONT');
    }
    const endMs = Date.now() + PATIENCE_MS;
    for (let left = processesAbout(runs); left.length > 0; left = processesAbout(runs)) {
      if (Date.now() > endMs) throw new Error(`still there: ${left.join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    return printed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

export const ctrlC = (pane: string): string[] => ['send-keys', '-t', pane, 'C-c'];
export const closeTerminal = (pane: string): string[] => ['kill-pane', '-t', pane];
