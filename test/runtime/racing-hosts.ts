import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { initRoom, openRoom } from '../../src/index.ts';
import { readJournal } from '../../src/journal/read.ts';
import { contextOf } from '../../src/room/room.ts';
import { drawNumbers } from '../../src/testing/crash/matrix.ts';
import { until } from '../processes/child.ts';

const PROGRAM = path.join(import.meta.dirname, '..', '..', 'fixtures', 'workflows', 'racing-host.mjs');

export interface Race {
  /** Commits in the journal. */
  readonly commits: number;
  readonly opens: number;
  /** Commits that were reported to some host as true. */
  readonly told: number;
  readonly kills: number;
  readonly stops: number;
  /** A sentence for each host that reported a commit which is not in the journal, or that the count is wrong. */
  readonly faults: readonly string[];
}

/** A host in its own process, in a room with others. */
class Hosts {
  readonly running = new Set<ChildProcess>();
  readonly exitCodes: (number | null)[] = [];
  readonly #args: readonly string[];
  readonly #failures: string[] = [];

  constructor(args: readonly string[]) {
    this.#args = args;
  }

  begin(): void {
    const child = spawn(process.execPath, [PROGRAM, ...this.#args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    this.running.add(child);
    child.on('close', (code, signal) => {
      this.running.delete(child);
      if (signal === null) this.exitCodes.push(code);
      if (signal === null && code !== 0 && code !== 7) this.#failures.push(`a host ended with ${code}: ${stderr}`);
    });
  }

  /** Closes all of them cleanly. */
  async end(): Promise<void> {
    for (const child of this.running) {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
    }
    await until('every host has ended', () => this.running.size === 0);
    if (this.#failures.length > 0) throw new Error(this.#failures.join('\n'));
  }
}

async function inRoom<T>(
  work: (room: { directory: string; won: string; lines: () => number }) => Promise<T>,
): Promise<T> {
  const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-race-'));
  try {
    const { directory } = await initRoom({ cwd });
    const won = path.join(cwd, 'won');
    fs.writeFileSync(won, '');
    return await work({ directory, won, lines: () => fs.readFileSync(won, 'utf8').split('\n').length - 1 });
  } finally {
    fs.rmSync(cwd, { recursive: true, force: true });
  }
}

const DISTURBANCES_MAX = 400;

/** Lets hosts take one workflow from each other, and kills or stops one of them after each progress, until there were so many and each could have had it. */
export function raceDisturbed({
  hosts: count,
  disturbances,
  seed,
}: {
  hosts: number;
  disturbances: number;
  seed: number;
}): Promise<Race> {
  return inRoom(async ({ directory, won, lines }) => {
    const hosts = new Hosts([directory, won, 'rejoin']);
    const next = drawNumbers(seed);
    for (let host = 0; host < count; host++) hosts.begin();
    let kills = 0;
    let stops = 0;
    // On a busy machine some of the hosts begin only after the last disturbance.
    while (kills + stops < disturbances || (await verdict(directory, won)).opens <= count) {
      if (kills + stops >= DISTURBANCES_MAX) throw new Error('the hosts hardly ever take the workflow');
      const before = lines();
      const wanted = 1 + (next() % 6);
      await until('the hosts make progress', () => lines() >= before + wanted, 120_000);
      const all = [...hosts.running];
      const victim = all[next() % all.length];
      if (!victim) throw new Error('no host runs');
      if (next() % 3 === 0) {
        kills += Number(victim.kill('SIGKILL'));
        hosts.begin();
      } else {
        stops += Number(victim.kill('SIGSTOP'));
        setTimeout(() => victim.kill('SIGCONT'), 20 + (next() % 300));
      }
    }
    await hosts.end();
    return { ...(await verdict(directory, won)), kills, stops };
  });
}

/** Two hosts that give up once fenced: one is fenced, and the other continues. Returns the journal's state at the end. */
export function raceOfTwo(): Promise<Race & { readonly exitCodes: readonly (number | null)[] }> {
  return inRoom(async ({ directory, won, lines }) => {
    const hosts = new Hosts([directory, won, 'stay-out']);
    hosts.begin();
    hosts.begin();
    await until('one host is fenced', () => hosts.exitCodes.length > 0, 120_000);
    const before = lines();
    await until('the other one goes on', () => lines() >= before + 5, 120_000);
    await hosts.end();
    return { ...(await verdict(directory, won)), kills: 0, stops: 0, exitCodes: hosts.exitCodes };
  });
}

/** Compares the journal with what was reported to the hosts. */
async function verdict(directory: string, won: string): Promise<Pick<Race, 'commits' | 'opens' | 'told' | 'faults'>> {
  const faults: string[] = [];
  const commits = new Map<number, string>();
  let opens = 0;
  let count = -1;
  const room = await openRoom({ directory });
  readJournal(contextOf(room), 'counter', (entry) => {
    if ('open' in entry) opens += 1;
    if (!('commit' in entry)) return;
    const { n } = (entry.commit.state.snapshot as { context: { n: number } }).context;
    if (n !== count + 1) faults.push(`record ${entry.seq} counts ${n} after ${count}`);
    count = n;
    commits.set(entry.seq, `${entry.seq} ${entry.commit.at} ${n}`);
  });
  await room.close();
  const told = fs.readFileSync(won, 'utf8').split('\n').slice(0, -1);
  for (const line of told) {
    const seq = Number(line.split(' ')[0]);
    if (commits.get(seq) !== line)
      faults.push(`a host believes "${line}", the journal says "${commits.get(seq) ?? 'nothing'}"`);
  }
  if (new Set(told).size !== told.length) faults.push('a step was told twice');
  return { commits: commits.size, opens, told: told.length, faults };
}
