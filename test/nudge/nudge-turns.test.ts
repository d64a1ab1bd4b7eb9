import { expect, test } from 'vitest';
import { createNudgeTurns } from '../../src/room/nudge-turns.ts';

test('nudges once per turn and address, and a delivery outweighs a claim', async () => {
  const nudged: string[] = [];
  const turns = createNudgeTurns((address, reason) => void nudged.push(`${address} ${reason}`));
  turns.add('bob', 'claimed');
  turns.add('bob', 'delivered');
  turns.add('bob', 'claimed');
  turns.add('carol', 'claimed');
  expect(nudged).toEqual([]);
  await turns.settled();
  expect(nudged).toEqual(['bob delivered', 'carol claimed']);
});

test('a nudge that becomes due during another follows it, once, and no other address waits for it', async () => {
  const nudged: string[] = [];
  const release: (() => void)[] = [];
  const turns = createNudgeTurns(async (address, reason) => {
    nudged.push(`${address} ${reason}`);
    if (address === 'bob') await new Promise<void>((resolve) => release.push(resolve));
  });
  turns.add('bob', 'delivered');
  await new Promise(setImmediate);
  for (let claimed = 0; claimed < 3; claimed++) turns.add('bob', 'claimed');
  turns.add('carol', 'delivered');
  await new Promise(setImmediate);
  expect(nudged).toEqual(['bob delivered', 'carol delivered']);
  release.shift()?.();
  await new Promise(setImmediate);
  expect(nudged).toEqual(['bob delivered', 'carol delivered', 'bob claimed']);
  release.shift()?.();
  await turns.settled();
});

test('a nudger that fails stops neither the sender nor later nudges', async () => {
  let nudges = 0;
  const turns = createNudgeTurns(async () => {
    nudges += 1;
    throw new Error('no');
  });
  turns.add('bob', 'delivered');
  await turns.settled();
  turns.add('bob', 'delivered');
  await turns.settled();
  expect(nudges).toBe(2);
});
