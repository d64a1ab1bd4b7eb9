import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { until } from '../hostile/until.ts';
import { processesAbout } from '../runtime/orphans.ts';
import { AS_BUILT } from './program.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');

/** Text on the screen at the start of each phase; a run passes all of them, roughly in this order. */
export const PHASES = [
  'agents: ',
  'the plan is from',
  'claimed by',
  'handed in',
  'REJECTED',
  'CONFLICT',
  'put to the vote',
  'VOTE: ',
  '== testing',
] as const;

/** `npm start` in a directory of its own, in a process that can be killed and restarted. */
export class ExampleRun implements Disposable {
  readonly runs = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-example-')));
  /** The output of all processes. */
  printed = '';
  #child: ChildProcess | undefined;
  readonly #program: readonly string[];

  constructor(program = AS_BUILT) {
    this.#program = program;
  }

  get directory(): string {
    return path.join(this.runs, 'tally-1');
  }

  get repository(): string {
    return path.join(this.directory, 'repository');
  }

  start(): void {
    const child = spawn(process.execPath, [...this.#program, '--runs', this.runs], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.printed += text));
    this.#child = child;
  }

  /** Kills the process as soon as the text is on the screen. */
  async killAt(text: string): Promise<void> {
    await until(
      () => `${JSON.stringify(text)} in: ${this.printed}`,
      () => this.printed.includes(text) || this.#hasEnded(),
      PHASE_MS_MAX,
    );
    this.signal('SIGKILL');
    await this.ended();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Resolves with the exit code; null after a kill. */
  async ended(): Promise<number | null> {
    const child = this.#child;
    if (!child) throw new Error('it was not started');
    if (!this.#hasEnded()) await once(child, 'close');
    return child.exitCode;
  }

  git(...args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync('git', args, { cwd: this.repository, encoding: 'utf8' });
    if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  }

  /** The log lines of an agent, from all its processes. */
  agentLines(): string[] {
    const logs = fs.readdirSync(path.join(this.directory, 'agents')).filter((file) => file.endsWith('.log'));
    return logs.flatMap((file) =>
      fs
        .readFileSync(path.join(this.directory, 'agents', file), 'utf8')
        .trim()
        .split('\n'),
    );
  }

  /** Processes of the run that still live. */
  processesLeft(): string[] {
    return processesAbout(this.runs);
  }

  [Symbol.dispose](): void {
    this.signal('SIGKILL');
    fs.rmSync(this.runs, { recursive: true, force: true });
  }

  #hasEnded(): boolean {
    return this.#child !== undefined && (this.#child.exitCode !== null || this.#child.signalCode !== null);
  }
}

const PHASE_MS_MAX = 180_000;
