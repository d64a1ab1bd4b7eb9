import { expect, test } from 'vitest';
import { crashMatrix, type CrashReport } from 'agent-mailroom/testing';
import { STAGE_MATRIX, trainMatrix, type Repeats } from './train-world.ts';

const SEED = Number(process.env['MAILROOM_SEED'] ?? Date.now() % 2 ** 31);

test('three machines with everything, killed at every call and at pairs of calls, end like the run that nobody killed', async () => {
  const repeats: Repeats = { activities: 0, actions: 0 };
  const report = await crashMatrix({ ...trainMatrix(repeats), pairs: 40, seed: SEED });
  print('train', report);
  console.log(`repeated with the same effect id: ${repeats.activities} activities, ${repeats.actions} actions`);
  expect(report.failures).toEqual([]);
  expect(report.schedules).toBeGreaterThan(200);
  expect(report.kills).toBeGreaterThan(report.schedules * 0.9);
});

test('nested parallel states with history, killed at every call and at pairs of calls, end likewise', async () => {
  const report = await crashMatrix({ ...STAGE_MATRIX, pairs: 200, seed: SEED });
  print('stage', report);
  expect(report.failures).toEqual([]);
  expect(report.schedules).toBeGreaterThan(250);
});

test('so do schedules in power durability', async () => {
  const report = await crashMatrix({ ...STAGE_MATRIX, durability: 'power', stride: 4, seed: SEED });
  print('stage, synced', report);
  expect(report.failures).toEqual([]);
});

function print(name: string, { schedules, kills, places, seed, counts }: CrashReport): void {
  const { steps, taken, sent, timers } = counts;
  console.log(
    `${name}: ${schedules} schedules, ${kills} kills at ${places} places, seed ${seed}: ` +
      `${steps} steps, ${taken} messages taken, ${sent} sent, ${timers} timers; 0 lost, 0 doubled`,
  );
}
