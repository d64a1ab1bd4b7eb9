import { expect, test } from 'vitest';
import { amount } from '../run/amount.ts';
import { raceDisturbed, raceOfTwo } from './racing-hosts.ts';

const DISTURBANCES = amount(15, { long: 40 });
const SEED = Number(process.env['MAILROOM_SEED'] ?? Date.now() % 2 ** 31);

test('four hosts that take one workflow from each other under kills and stops make one chain, and each agrees with it', async () => {
  const race = await raceDisturbed({ hosts: 4, disturbances: DISTURBANCES, seed: SEED });
  const { commits, opens, told, kills, stops, faults } = race;
  console.log(`${commits} commits, ${opens} takings, ${told} told, ${kills} kills, ${stops} stops, seed ${SEED}`);
  expect(faults).toEqual([]);
  expect(told).toBeGreaterThanOrEqual(DISTURBANCES);
  expect(opens).toBeGreaterThan(4);
});

test('of two hosts that give up once fenced, one keeps the workflow', async () => {
  const rounds = amount(2, { long: 6 });
  for (let round = 0; round < rounds; round++) {
    const { exitCodes, faults } = await raceOfTwo();
    expect(faults).toEqual([]);
    expect(exitCodes.toSorted((a, b) => Number(a) - Number(b))).toEqual([0, 7]);
  }
  console.log(`${rounds} rounds of two hosts, one went on in each`);
});
