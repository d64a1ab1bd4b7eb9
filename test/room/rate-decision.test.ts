import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChainRecord } from '../../src/chain/record.ts';
import { decideGrant, type RateDecision } from '../../src/rate/counter.ts';
import { GrantHistory, type RateBody } from '../../src/rate/grants.ts';
import { propertySeed } from '../chain/seed.ts';
import { amount } from '../run/amount.ts';

const seed = propertySeed('rate-decision.test.ts');
const RUNS = amount(400, { long: 2_000 });
const YEAR_MS = 365 * 24 * 3600 * 1000;
const START_MS = Date.UTC(2026, 0, 1);

interface Step {
  /** Real time that passes before the next attempt. */
  readonly afterMs: number;
  /** How far the clock is set back before it. */
  readonly backMs: number;
}

const steps = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.nat(30), fc.nat(3_000)),
    backMs: fc.oneof(
      { arbitrary: fc.constant(0), weight: 8 },
      { arbitrary: fc.nat(2_000), weight: 2 },
      { arbitrary: fc.nat(YEAR_MS), weight: 1 },
    ),
  }),
  { minLength: 1, maxLength: 60 },
);
const limits = fc.record({ limit: fc.integer({ min: 1, max: 5 }), windowMs: fc.integer({ min: 1, max: 2_000 }) });

describe('grants', () => {
  it('never exceed the limit in a window of real time, however often the clock is set back', () => {
    let granted = 0;
    let jumps = 0;
    fc.assert(
      fc.property(steps, limits, (tries, limit) => {
        const real = realTimesOf(tries, limit);
        for (const [at, time] of real.granted.entries()) {
          const later = real.granted[at + limit.limit] ?? Number.POSITIVE_INFINITY;
          expect(later - time).toBeGreaterThan(limit.windowMs);
        }
        granted += real.granted.length;
        jumps += real.jumps;
      }),
      { seed, numRuns: RUNS },
    );
    console.log(`${granted} grants, the clock set back ${jumps} times`);
  });

  it('are available again one window after the clock was set back, however far ahead it had been', () => {
    fc.assert(
      fc.property(steps, limits, fc.nat(10 * YEAR_MS), (tries, limit, backMs) => {
        const { history, nowMs } = realTimesOf(tries, limit);
        const looked = decide(history, nowMs - backMs, limit);
        const waitsUntil = 'retryAt' in looked ? looked.retryAt : 0;
        expect(waitsUntil).toBeLessThanOrEqual(nowMs - backMs + limit.windowMs + 1);
        expect(decide(history, nowMs - backMs + limit.windowMs + 1, limit)).toHaveProperty('grantAtMs');
      }),
      { seed, numRuns: RUNS },
    );
  });

  it('have rising times while the clock is set back by little', () => {
    const limit = { limit: 10, windowMs: 1_000 };
    const history = historyOf(limit, [START_MS]);
    expect(decideGrant(history, START_MS - 900, limit)).toEqual({ grantAtMs: START_MS });
    expect(decideGrant(history, START_MS - 1_100, limit)).toEqual({ clockBackToMs: START_MS - 1_100 });
  });

  it('are refused until the blocking one is older than the window', () => {
    const limit = { limit: 2, windowMs: 1_000 };
    const history = historyOf(limit, [START_MS, START_MS + 10]);
    expect(decideGrant(history, START_MS + 1_000, limit)).toEqual({ retryAt: START_MS + 1_001 });
    expect(decideGrant(history, START_MS + 1_001, limit)).toEqual({ grantAtMs: START_MS + 1_001 });
  });
});

describe('the grants that are kept', () => {
  it('suffice for a process with a higher limit, and survive being carried over', () => {
    const few = { limit: 2, windowMs: 1_000 };
    const times = [0, 500, 600, 700, 800].map((ms) => START_MS + ms);
    const history = historyOf(few, times);
    const carried = JSON.parse(JSON.stringify(history.carry())) as unknown;
    const many = new GrantHistory({ limit: 5, windowMs: 1_000, where: '/' });
    many.apply({ ...HEAD, carried });
    expect(many.length).toBe(5);
    expect(decideGrant(many, START_MS + 900, { limit: 5, windowMs: 1_000 })).toEqual({ retryAt: START_MS + 1_001 });
  });

  it('are no more than needed', () => {
    const limit = { limit: 3, windowMs: 10 };
    const history = historyOf(
      limit,
      Array.from({ length: 1_000 }, (_, at) => START_MS + at * 20),
    );
    expect(history.length).toBeLessThanOrEqual(128);
    expect(history.carry()).toEqual({ grants: [997, 998, 999].map((at) => [START_MS + at * 20, `id-${at}`]) });
    expect(history.find('id-999')).toEqual({ id: 'id-999', timeMs: START_MS + 999 * 20 });
    expect(history.find('id-996')).toBeUndefined();
  });

  it.each([{ at: -1, id: 'x' }, { at: 1 }, { at: 1.5, id: 'x' }, null, 'x', { clockBackTo: 'now' }])(
    'refuse a record with %j',
    (body) => {
      expect(() => historyOf({ limit: 1, windowMs: 1 }, []).apply({ ...HEAD, body })).toThrow(
        /counter in \/where has content/,
      );
    },
  );

  it.each([null, {}, { grants: 1 }, { grants: [1] }, { grants: [['x', 1]] }])(
    'refuse an opening record with %j',
    (carried) => {
      expect(() => historyOf({ limit: 1, windowMs: 1 }, []).apply({ ...HEAD, carried })).toThrow(
        /counter in \/where has content/,
      );
    },
  );
});

const HEAD = { seq: 1, prev: '0'.repeat(64), by: 'x', hash: '1'.repeat(64) };

interface Limit {
  readonly limit: number;
  readonly windowMs: number;
}

function historyOf(limit: Limit, times: readonly number[]): GrantHistory {
  const history = new GrantHistory({ ...limit, where: '/where' });
  for (const [at, timeMs] of times.entries()) history.apply(recordOf({ at: timeMs, id: `id-${at}` }));
  return history;
}

function recordOf(body: RateBody): ChainRecord {
  return { ...HEAD, body };
}

/** Decides as the counter does: a clock that was set back is recorded first. */
function decide(history: GrantHistory, nowMs: number, limit: Limit): RateDecision {
  const decision = decideGrant(history, nowMs, limit);
  if (!('clockBackToMs' in decision)) return decision;
  history.apply(recordOf({ clockBackTo: decision.clockBackToMs }));
  const again = decideGrant(history, nowMs, limit);
  if ('clockBackToMs' in again) throw new Error('the clock is set back twice');
  return again;
}

/** Simulates attempts over real time on a clock that is only ever set back. */
function realTimesOf(
  tries: readonly Step[],
  limit: Limit,
): { granted: number[]; jumps: number; history: GrantHistory; nowMs: number } {
  const history = new GrantHistory({ ...limit, where: '/' });
  const granted: number[] = [];
  let jumps = 0;
  let realMs = START_MS;
  let aheadMs = 10 * YEAR_MS;
  for (const { afterMs, backMs } of tries) {
    realMs += afterMs;
    aheadMs -= Math.min(backMs, realMs + aheadMs);
    jumps += Number(backMs > 0);
    const decision = decide(history, realMs + aheadMs, limit);
    if (!('grantAtMs' in decision)) continue;
    history.apply(recordOf({ at: decision.grantAtMs, id: `${granted.length}` }));
    granted.push(realMs);
  }
  return { granted, jumps, history, nowMs: realMs + aheadMs };
}
