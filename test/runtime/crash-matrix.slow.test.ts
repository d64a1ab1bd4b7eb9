import { crashMatrix } from 'agent-mailroom/testing';
import { expect, test } from 'vitest';
import { KILL_STRIDE, REAL_KILL_STRIDE, SHORT_STRIDE, STRIDE } from '../processes/stride.ts';
import { amount } from '../run/amount.ts';
import { atOneOf, printReport, STAGE_MATRIX, trainMatrix, type Repeats } from './train-world.ts';

// At those calls that the seed says; every call, more pairs, and triples are in the long set.
const SEED = Number(process.env['MAILROOM_SEED'] ?? Date.now() % 2 ** 31);
/** A schedule takes two or more runs of node; this limit is only for hangs. */
const TIMEOUT_MS = 30 * 60_000;
let schedules = 0;

test(
  'three machines with everything, killed at calls and at pairs of calls, end like the run that nobody killed',
  async () => {
    const repeats: Repeats = { activities: 0, actions: 0 };
    const matrix = { ...trainMatrix(repeats, 'trainAlone'), pairs: amount(6, { long: 30 }), seed: SEED };
    const report = await crashMatrix(await atOneOf(SHORT_STRIDE, matrix));
    printReport('train', report);
    console.log(`repeated with the same effect id: ${repeats.activities} activities, ${repeats.actions} actions`);
    expect(report.failures).toEqual([]);
    schedules += report.schedules;
    expect(report.kills).toBeGreaterThan(report.schedules * 0.9);
  },
  TIMEOUT_MS,
);

test(
  'so they do with a command, which a kill of its host does not end',
  async () => {
    const report = await crashMatrix({
      ...trainMatrix({ activities: 0, actions: 0 }, 'train'),
      pairs: REAL_KILL_STRIDE === 1 ? 30 : 0,
      seed: SEED,
    });
    printReport('train with a command', report);
    expect(report.failures).toEqual([]);
    expect(report.realKills).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);

test(
  'nested parallel states with history, killed at calls and at pairs of calls, end likewise',
  async () => {
    const matrix = { ...STAGE_MATRIX, pairs: amount(12, { long: 190 }), seed: SEED };
    const report = await crashMatrix(await atOneOf(KILL_STRIDE, matrix));
    printReport('stage', report);
    expect(report.failures).toEqual([]);
    schedules += report.schedules;
  },
  TIMEOUT_MS,
);

test(
  'so do schedules in power durability',
  async () => {
    const matrix = { ...STAGE_MATRIX, durability: 'power', seed: SEED } as const;
    const report = await crashMatrix(await atOneOf(STRIDE, matrix));
    printReport('stage, synced', report);
    expect(report.failures).toEqual([]);
    schedules += report.schedules;
  },
  TIMEOUT_MS,
);

test('these are enough schedules', () => {
  expect(schedules).toBeGreaterThanOrEqual(amount(50, { long: 500 }));
});
