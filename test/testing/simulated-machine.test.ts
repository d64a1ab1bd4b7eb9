import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import { SimulatedMachine } from '../../src/testing/crash/simulated-machine.ts';
import { seededBytes, type SimulatedProcess } from '../../src/testing/crash/simulated-process.ts';

const START_MS = Date.UTC(2026, 0, 1);
const CREATE = fs.constants.O_CREAT | fs.constants.O_WRONLY;

let directory: string;
let machine: SimulatedMachine;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-simulated-'));
  machine = new SimulatedMachine({ host: nodeHost, seed: '7', startMs: START_MS });
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};
const make = ({ host }: SimulatedProcess, name: string): void =>
  host.files.close(host.files.open(path.join(directory, name), CREATE, 0o600));

describe('a process that is killed in place of a call', () => {
  it('does what it did before, and neither that call nor any later one, clean-up included', async () => {
    const child = machine.start();
    const { files, clock } = child.host;
    const leaving = new AbortController();
    const refused: string[] = [];
    const tries = (name: string): void => {
      try {
        make(child, name);
      } catch (error) {
        refused.push(`${name}: ${(error as Error).name}`);
      }
    };
    child.killAt(3, 'changes');
    const ran = await child.run(async () => {
      leaving.signal.addEventListener('abort', () => tries('by the abort handler'));
      const later = Promise.resolve().then(() => tries('by a continuation'));
      void clock.sleep(1).then(() => tries('by a timer'));
      setImmediate(() => tries('in the next turn'));
      try {
        for (const name of ['a', 'b', 'c', 'd']) files.mkdir(path.join(directory, name), 0o700);
      } finally {
        tries('by the clean-up');
        leaving.abort();
        await later;
      }
    });
    expect(ran).toBe('killed');
    await turns(20);
    expect(fs.readdirSync(directory)).toEqual(['a', 'b']);
    expect(refused).toEqual([
      'by the clean-up: SimulatedKill',
      'by the abort handler: SimulatedKill',
      'by a continuation: SimulatedKill',
      'in the next turn: SimulatedKill',
    ]);
    const others = Object.fromEntries(Object.entries(files).filter(([name]) => name !== 'close'));
    for (const [name, call] of Object.entries(others) as [string, () => unknown][])
      expect(() => call(), name).toThrow('the process was killed');
  });

  it('has no sleep, no sync and no wait for a lock that ends, and is told of no change', async () => {
    const child = machine.start();
    const other = machine.start();
    const ended: string[] = [];
    const ends = (what: string) => (): void => void ended.push(what);
    const fd = child.host.files.open(path.join(directory, 'a'), CREATE, 0o600);
    await other.host.lock.smooth(path.join(directory, 'locked'), { waitMsMax: 0 });
    void child.host.files.fsync(fd).then(ends('sync'));
    void child.host.clock.sleep(5).then(ends('sleep'));
    void child.host.lock.smooth(path.join(directory, 'locked'), { waitMsMax: 100 }).then(ends('lock'));
    child.host.watching.directory(directory, ends('hint'), ends('failure'));
    child.kill();
    void child.host.clock.sleep(1).then(ends('a later sleep'));
    make(other, 'b');
    await other.host.clock.sleep(1_000);
    await turns(5);
    expect(ended).toEqual([]);
    expect(machine.time.now()).toBe(START_MS + 1_000);
  });

  it('has its descriptors closed, and cannot close what has got their numbers since', () => {
    const child = machine.start();
    const file = path.join(directory, 'a');
    const fd = child.host.files.open(file, CREATE, 0o600);
    child.kill();
    expect(() => fs.fstatSync(fd)).toThrow('EBADF');
    const again = fs.openSync(file, 'r');
    child.host.files.close(again);
    expect(fs.fstatSync(again).isFile()).toBe(true);
    fs.closeSync(again);
  });

  it('is dead to the others, and to no one before', () => {
    const child = machine.start();
    const other = machine.start();
    const { processes } = other.host;
    const { pid } = child.identity;
    expect([
      processes.isAlive(child.identity),
      processes.identify(pid),
      processes.isAlive(nodeHost.processes.self()),
    ]).toEqual([true, child.identity, true]);
    expect(child.host.processes.self()).not.toEqual(other.host.processes.self());
    child.kill();
    expect([processes.isAlive(child.identity), processes.identify(pid), processes.isAlive(other.identity)]).toEqual([
      false,
      undefined,
      true,
    ]);
    expect(machine.start().identity.pid).not.toBe(pid);
  });

  it('leaves its lock, until that is stale', async () => {
    const [child, other] = [machine.start(), machine.start()];
    const locked = path.join(directory, 'locked');
    const release = await child.host.lock.smooth(locked, { waitMsMax: 0 });
    child.kill();
    await release();
    await (
      await other.host.lock.smooth(locked, { waitMsMax: 300 })
    )();
    expect(fs.readdirSync(directory)).toEqual(['locked.lock']);
    await (
      await other.host.lock.smooth(locked, { waitMsMax: 6_000 })
    )();
    expect(fs.readdirSync(directory)).toEqual([]);
  });

  it('runs nothing of a user any more', () => {
    const child = machine.start();
    child.kill();
    let hasRun = false;
    const work = (): void => void (hasRun = true);
    expect(() => child.host.watchdog.during({ path: path.join(directory, 'step'), cause: '' }, work)).toThrow('killed');
    expect(hasRun).toBe(false);
  });

  it('is what one is that wants to start a program that outlives it', async () => {
    const child = machine.start();
    const options = { cwd: directory, env: {}, stderr: 2 };
    const ran = await child.run(async ({ processes }) => processes.startSession('sh', ['-c', 'exit'], options));
    expect(ran).toBe('killed');
    expect(child.startedOther).toBe('sh');
  });
});

describe('a simulated machine', () => {
  it('draws the same bytes for the same seed, others for each process', () => {
    const draw = (seed: string, starts: number): string => {
      const other = new SimulatedMachine({ host: nodeHost, seed, startMs: START_MS });
      const children = Array.from({ length: starts }, () => other.start());
      return [4, 16, 40].map((length) => children.at(-1)?.host.randomBytes(length).toString('hex')).join(' ');
    };
    expect(draw('7', 1)).toBe(draw('7', 1));
    expect(new Set([draw('7', 1), draw('7', 2), draw('8', 1)]).size).toBe(3);
    expect(seededBytes('7 0')(4)).toEqual(machine.start().host.randomBytes(4));
  });

  it('lets the time stand still while something is under way, and jump to the end of the next sleep', async () => {
    const { clock } = machine.start().host;
    const woken: string[] = [];
    const sleep = async (name: string, ms: number): Promise<void> => {
      await clock.sleep(ms);
      woken.push(`${name} ${clock.now() - START_MS}`);
    };
    const beganMs = performance.now();
    await Promise.all([sleep('c', 3_600_000), sleep('a', 10), sleep('b', 10), sleep('hour', 3_600_000)]);
    expect(woken).toEqual(['a 10', 'b 10', 'c 3600000', 'hour 3600000']);
    expect(performance.now() - beganMs).toBeLessThan(1_000);
    const aborted = new AbortController();
    void clock.sleep(5).then(() => aborted.abort());
    await clock.sleep(10_000, aborted.signal);
    expect(clock.now() - START_MS).toBe(3_600_005);
  });

  it('keeps pace with the real time while what a user wrote waits for something', async () => {
    const child = machine.start();
    const { clock, watchdog } = child.host;
    const work = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));
    let isDone = false;
    void watchdog.during({ path: path.join(directory, 'step'), cause: '' }, work).then(() => (isDone = true));
    await clock.sleep(10);
    expect(isDone).toBe(false);
    expect(clock.now() - START_MS).toBeLessThan(1_000);
    await clock.sleep(60_000);
    expect(isDone).toBe(true);
  });

  it('tells who watches a directory or a tree what its processes do there, once a turn', async () => {
    const [one, other] = [machine.start(), machine.start()];
    fs.mkdirSync(path.join(directory, 'in/deep'), { recursive: true });
    fs.mkdirSync(path.join(directory, 'left-out'));
    const told: string[] = [];
    const fail = (why: string): void => void told.push(why);
    const end = one.host.watching.directory(path.join(directory, 'in'), () => told.push('in'), fail);
    const seen = (changed: string): void => void told.push(path.relative(directory, changed));
    const concerns = (name: string): boolean => !name.endsWith('left-out');
    const endTree = await one.host.watching.tree(directory, seen, fail, concerns);
    make(other, 'in/a');
    make(other, 'in/deep/b');
    make(other, 'left-out/c');
    expect(told).toEqual([]);
    await turns(1);
    expect(told).toEqual(['in', 'in/a', 'in/deep/b']);
    end();
    await endTree();
    make(other, 'in/d');
    await turns(2);
    expect(told).toHaveLength(3);
    one.host.watching.directory(path.join(directory, 'nowhere'), () => {}, fail);
    expect(told.at(-1)).toBe('ENOENT');
  });
});
