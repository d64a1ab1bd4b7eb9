import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ChainDamaged, RateLimitExceeded, WaitTimeout } from '../../src/errors.ts';
import type { FileSystem } from '../../src/host/file-system.ts';
import { alwaysGrants, type Lock } from '../../src/host/host.ts';
import { nodeFileSystem } from '../../src/host/node-file-system.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { countCalls } from '../faults/faulty-files.ts';
import { scratchDirectories } from '../chain/scratch.ts';
import { grantsOf, ManualClock, newId, openCounter, START_MS } from './rate-set-up.ts';

const scratch = scratchDirectories('rate');

describe('a rate counter', () => {
  it('grants up to the limit, then refuses and says when to retry', async () => {
    const clock = new ManualClock();
    const counter = openCounter({ directory: scratch(), clock });
    expect(await grantsOf(counter)).toBe(5);
    clock.nowMs += 400;
    const refusal: unknown = await counter.grant(newId).catch((error: unknown) => error);
    if (!(refusal instanceof RateLimitExceeded)) throw new Error('not refused');
    expect(refusal).toMatchObject({ retryAt: START_MS + 1_001, code: 'RATE_LIMIT_EXCEEDED' });
    expect(refusal.message).toBe(
      'agent-1 has sent 5 messages within 1 s, which is its limit; the next can be sent in 1 s, at 2026-06-01 00:00:02Z',
    );
    clock.nowMs = START_MS + 1_000;
    expect(await grantsOf(counter)).toBe(0);
    clock.nowMs = START_MS + 1_001;
    expect(await grantsOf(counter)).toBe(5);
  });

  it('counts all processes of a sender together', async () => {
    const clock = new ManualClock();
    const directory = scratch();
    const counters = [1, 2, 3].map(() => openCounter({ directory, clock }));
    const granted = await Promise.all(counters.map((counter) => grantsOf(counter)));
    expect(granted.reduce((sum, count) => sum + count, 0)).toBe(5);
    expect(await grantsOf(openCounter({ directory, clock }))).toBe(0);
  });

  it('makes the id for the time of the grant, which is never before the last one', async () => {
    const clock = new ManualClock();
    const directory = scratch();
    const idAt = (timeMs: number): string => `id-of-${timeMs}`;
    expect(await openCounter({ directory, clock }).grant({ idAt })).toEqual({
      id: `id-of-${START_MS}`,
      timeMs: START_MS,
      isRepeated: false,
    });
    clock.nowMs -= 500;
    expect(await openCounter({ directory, clock }).grant({ idAt })).toMatchObject({ timeMs: START_MS });
  });

  it('charges the same id once, whoever retries it, even across generations', async () => {
    const clock = new ManualClock();
    const directory = scratch();
    const options = { directory, clock, limit: 20, segmentBytesMax: 500 };
    const counter = openCounter(options);
    const stale = openCounter(options);
    await stale.grant(newId);
    expect(await counter.grant({ id: 'same' })).toMatchObject({ isRepeated: false });
    clock.nowMs += 100;
    expect(await stale.grant({ id: 'same' })).toEqual({ id: 'same', timeMs: START_MS, isRepeated: true });
    for (let at = 0; at < 10; at++) await counter.grant(newId);
    expect(await openCounter(options).grant({ id: 'same' })).toMatchObject({ isRepeated: true });
    expect(await grantsOf(counter)).toBe(8);
  });

  it('refuses only after reading what other processes did', async () => {
    const clock = new ManualClock();
    const directory = scratch();
    const stale = openCounter({ directory, clock, limit: 1 });
    await stale.grant(newId);
    await openCounter({ directory, clock, limit: 2 }).grant({ id: 'theirs' });
    expect(await stale.grant({ id: 'theirs' })).toMatchObject({ isRepeated: true });
  });

  it('costs one write, one read and one look at the path per message, and few calls for a process that sends one', async () => {
    const directory = scratch();
    const clock = new ManualClock();
    const options = { directory, clock, limit: 1_000, segmentBytesMax: 1_000_000 };
    const first = openCounter(options);
    for (let at = 0; at < 50; at++) await first.grant(newId);
    const counted = countCalls(nodeFileSystem);
    const counter = openCounter({ ...options, host: { ...nodeHost, files: counted.files } });
    await counter.grant(newId);
    const opening = counted.steps.map((step) => step.split(' ')[0]);
    expect(opening).toEqual(['readdir', 'open', 'readdir', 'read', 'write', 'read', 'fstat', 'lstat']);
    for (let at = 0; at < 100; at++) await counter.grant(newId);
    console.log(`${opening.length} calls for the first message, ${counted.steps.length - opening.length} for 100 more`);
    expect(counted.steps.length - opening.length).toBe(300);
  });

  it('keeps two generations, however many there were', async () => {
    const directory = scratch();
    const clock = new ManualClock();
    const counter = openCounter({ directory, clock, segmentBytesMax: 1_000 });
    for (let round = 0; round < 30; round++) {
      expect(await grantsOf(counter)).toBe(5);
      clock.nowMs += 1_001;
    }
    const generations = fs.readdirSync(directory).map((name) => Number(/^rate\.(\d+)$/.exec(name)?.[1]));
    console.log(`150 grants, generations left: ${generations.join(' ')}`);
    expect(generations).toHaveLength(2);
    expect(Math.min(...generations)).toBeGreaterThan(100);
  });

  it('grants many at once in one process without losing a race', async () => {
    const directory = scratch();
    const taken: string[] = [];
    const counter = openCounter({
      directory,
      clock: new ManualClock(),
      limit: 64,
      host: { ...nodeHost, lock: spyLock(taken) },
    });
    const grants = await Promise.all(Array.from({ length: 64 }, () => counter.grant(newId)));
    expect(new Set(grants.map(({ id }) => id)).size).toBe(64);
    await expect(counter.grant(newId)).rejects.toThrow(RateLimitExceeded);
    expect(taken).toEqual([]);
  });

  it.each([{ limit: 0 }, { limit: 1.5 }, { limit: 1e9 }, { windowMs: 0 }, { windowMs: Number.NaN }])(
    'refuses invalid limits: %j',
    (limits) => {
      expect(() => openCounter({ directory: '/', clock: new ManualClock(), ...limits })).toThrow(RangeError);
    },
  );
});

describe('the lock', () => {
  it('is taken after a lost race and to end a generation, never before', async () => {
    const directory = scratch();
    const clock = new ManualClock();
    const taken: string[] = [];
    const options = { directory, clock, limit: 1_000, segmentBytesMax: 1_500 };
    const other = openCounter(options);
    const counter = openCounter({ ...options, host: { ...nodeHost, lock: spyLock(taken) } });
    await counter.grant(newId);
    await counter.grant(newId);
    expect(taken).toEqual([]);
    await other.grant(newId);
    await counter.grant(newId);
    expect(taken).toEqual([`lock ${path.join(directory, 'rate')} 300`, 'release']);
    for (let at = 0; at < 10; at++) await counter.grant(newId);
    expect(taken.filter((what) => what === 'release').length).toBeLessThan(6);
    expect(taken.length).toBeGreaterThan(2);
  });
});

describe('a grant', () => {
  it('is given up for a new one if it was not used in time', async () => {
    const directory = scratch();
    const clock = new ManualClock();
    // The process pauses between its look and its write.
    let stops = 2;
    const stopping: FileSystem = {
      ...nodeFileSystem,
      write: (...args) => {
        if (stops-- > 0) clock.nowMs += 251;
        return nodeFileSystem.write(...args);
      },
    };
    const counter = openCounter({ directory, clock, host: { ...nodeHost, files: stopping } });
    const { timeMs } = await counter.grant({ id: 'mine' });
    expect(timeMs).toBe(START_MS + 502);
    expect(await grantsOf(counter)).toBe(2);
  });

  it('is refused with a clear error if others are first every time', async () => {
    const directory = scratch();
    const clock = new ManualClock();
    const options = { directory, clock, limit: 10_000 };
    const rival = openCounter(options);
    const outrun: FileSystem = {
      ...nodeFileSystem,
      write: (...args) => {
        // The fast path of a grant awaits nothing, so the rival appends before this write.
        void rival.grant(newId);
        return nodeFileSystem.write(...args);
      },
    };
    const host = { ...nodeHost, lock: alwaysGrants, files: outrun };
    const error: unknown = await openCounter({ ...options, host })
      .grant(newId)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WaitTimeout);
    expect(String(error)).toContain(`agent-1 got no grant from its rate counter in ${directory}: of 64 attempts`);
    expect(clock.slept.length).toBeGreaterThan(10);
  });
});

describe('pacing', () => {
  it('waits for a grant instead of refusing', async () => {
    const clock = new ManualClock();
    const counter = openCounter({ directory: scratch(), clock });
    const times: number[] = [];
    for (let at = 0; at < 12; at++) times.push((await counter.pace(newId)).timeMs - START_MS);
    expect(times).toEqual([0, 0, 0, 0, 0, 1_001, 1_001, 1_001, 1_001, 1_001, 2_002, 2_002]);
    expect(clock.slept).toEqual([1_001, 1_001]);
  });

  it('ends with the reason of the signal', async () => {
    const clock = new ManualClock();
    const counter = openCounter({ directory: scratch(), clock });
    await grantsOf(counter);
    const controller = new AbortController();
    clock.sleep = async () => controller.abort(new RangeError('enough'));
    await expect(counter.pace(newId, { signal: controller.signal })).rejects.toThrow('enough');
    await expect(counter.pace(newId, { signal: controller.signal })).rejects.toThrow('enough');
  });
});

describe('a clock', () => {
  it('that is set back frees nothing early and locks nobody out for longer than a window', async () => {
    const clock = new ManualClock();
    const directory = scratch();
    const counter = openCounter({ directory, clock });
    expect(await grantsOf(counter)).toBe(5);
    clock.nowMs -= 3_600_000;
    const refused: unknown = await counter.grant(newId).catch((error: unknown) => error);
    expect(refused).toMatchObject({ retryAt: clock.nowMs + 1_001 });
    clock.nowMs += 1_000;
    expect(await grantsOf(openCounter({ directory, clock }))).toBe(0);
    clock.nowMs += 1;
    expect(await grantsOf(openCounter({ directory, clock }))).toBe(5);
    clock.nowMs -= 3_600_000;
    expect(await grantsOf(counter)).toBe(0);
  });

  it('that was years ahead in an earlier process locks out for one window only, and gives sane times', async () => {
    const clock = new ManualClock();
    const directory = scratch();
    clock.nowMs = Date.UTC(2063, 0, 1);
    expect(await grantsOf(openCounter({ directory, clock }))).toBe(5);
    clock.nowMs = START_MS;
    const counter = openCounter({ directory, clock });
    expect(await grantsOf(counter)).toBe(0);
    clock.nowMs += 1_001;
    expect((await counter.grant(newId)).timeMs).toBe(clock.nowMs);
  });
});

describe('a counter file', () => {
  it('that is removed by hand is begun again by processes that hold it open', async () => {
    const clock = new ManualClock();
    const directory = scratch();
    const counter = openCounter({ directory, clock });
    expect(await grantsOf(counter)).toBe(5);
    fs.rmSync(path.join(directory, 'rate.1'));
    expect(await grantsOf(openCounter({ directory, clock }), 3)).toBe(3);
    clock.nowMs += 1_001;
    expect((await grantsOf(openCounter({ directory, clock }), 3)) + (await grantsOf(counter))).toBe(5);
  });

  it('is refused while damaged, and used again once repaired', async () => {
    const clock = new ManualClock();
    const directory = scratch();
    const counter = openCounter({ directory, clock });
    await counter.grant(newId);
    const file = path.join(directory, 'rate.1');
    const { size } = fs.statSync(file);
    await grantsOf(openCounter({ directory, clock }), 3);
    // The second record is gone, the third and fourth are not.
    const bytes = fs.readFileSync(file);
    fs.writeFileSync(file, Buffer.concat([bytes.subarray(0, size), bytes.subarray(bytes.indexOf('\n', size + 1))]));
    for (let tries = 0; tries < 2; tries++) await expect(counter.grant(newId)).rejects.toThrow(ChainDamaged);
    fs.rmSync(file);
    expect(await grantsOf(counter)).toBe(5);
  });

  it('in a missing directory gives an error that names it', async () => {
    const directory = path.join(scratch(), 'agent-9');
    const counter = openCounter({ directory, clock: new ManualClock() });
    await expect(counter.grant(newId)).rejects.toThrow(directory);
  });
});

function spyLock(taken: string[]): Lock {
  return {
    smooth: async (file, { waitMsMax }) => {
      taken.push(`lock ${file} ${waitMsMax}`);
      return async () => {
        taken.push('release');
      };
    },
  };
}
