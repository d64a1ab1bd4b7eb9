import { crashMatrix } from 'agent-mailroom/testing';
import { expect, test } from 'vitest';
import { printReport, STAGE_MATRIX, trainMatrix } from './train-world.ts';

const SEED = Number(process.env['MAILROOM_SEED'] ?? Date.now() % 2 ** 31);

test('three machines with everything, killed at every call, at pairs and at triples of calls', async () => {
  for (const name of ['train', 'trainAlone'] as const) {
    const options = trainMatrix({ activities: 0, actions: 0 }, name);
    const report = await crashMatrix({ ...options, pairs: 300, triples: 100, seed: SEED });
    printReport(name, report);
    expect(report.failures).toEqual([]);
  }
});

test('nested parallel states with history, the same in both durabilities', async () => {
  for (const durability of ['process', 'power'] as const) {
    const report = await crashMatrix({ ...STAGE_MATRIX, durability, pairs: 300, triples: 100, seed: SEED });
    printReport(`stage, ${durability}`, report);
    expect(report.failures).toEqual([]);
  }
});
