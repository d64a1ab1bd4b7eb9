import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';

const FIXTURES = path.join(import.meta.dirname, '..', '..', 'fixtures', 'chaos');

/** One place in the fleet: a program that is started again whenever it was killed. */
export interface Ship {
  readonly name: string;
  readonly program: string;
  readonly options: Readonly<Record<string, unknown>>;
  child: ChildProcess | undefined;
  /** Set when it ended by itself, or was given up. */
  isOver: boolean;
}

/** Real processes under random SIGKILL and SIGSTOP. */
export class Fleet {
  kills = 0;
  stops = 0;
  readonly #ships: Ship[] = [];
  readonly #failures: string[] = [];
  #isEnding = false;

  get failures(): readonly string[] {
    return this.#failures;
  }

  launch(name: string, program: string, options: Readonly<Record<string, unknown>>): Ship {
    const ship: Ship = { name, program, options, child: undefined, isOver: false };
    this.#ships.push(ship);
    this.#start(ship);
    return ship;
  }

  get afloat(): Ship[] {
    return this.#ships.filter(({ isOver, child }) => !isOver && child !== undefined);
  }

  /** It is started again by the time this resolves, unless it had ended, or is given up. */
  async kill(ship: Ship, { forGood = false } = {}): Promise<void> {
    const { child } = ship;
    if (!child || ship.isOver) return;
    ship.isOver = forGood;
    this.kills += 1;
    child.kill('SIGKILL');
    await ended(child);
  }

  /** Stops it until the promise resolves. A kill in between ends the stop, too. */
  async stopUntil(ship: Ship, resumes: Promise<void>): Promise<void> {
    const { child } = ship;
    if (!child || ship.isOver) return;
    this.stops += 1;
    child.kill('SIGSTOP');
    await resumes;
    child.kill('SIGCONT');
  }

  /** Asks a program to end, and waits for it. */
  async end(ship: Ship): Promise<void> {
    ship.isOver = true;
    const { child } = ship;
    child?.kill('SIGTERM');
    if (child) await ended(child);
    // One that was started a moment ago ends by the signal itself.
    const isAsked = child?.exitCode === 0 || child?.signalCode === 'SIGTERM';
    if (child && !isAsked) this.#failures.push(`${ship.name} ended with ${exitOf(child)}`);
  }

  /** Kills what is left, so that nothing outlives the test. */
  async sink(): Promise<void> {
    this.#isEnding = true;
    const children = this.#ships.map(({ child }) => child).filter((child) => child !== undefined);
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(children.map(ended));
  }

  #start(ship: Ship): void {
    const file = path.join(FIXTURES, ship.program);
    const child = spawn(process.execPath, [file, JSON.stringify(ship.options)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    child.once('close', (code, signal) => {
      if (this.#isEnding || ship.isOver) return;
      if (signal === 'SIGKILL') return this.#start(ship);
      ship.isOver = true;
      if (code !== 0) this.#failures.push(`${ship.name} ended with ${exitOf(child)}: ${stderr}`);
    });
    ship.child = child;
  }
}

function exitOf(child: ChildProcess): string {
  return `${child.exitCode ?? child.signalCode}`;
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('close', () => resolve()));
}
