import { expect, test } from 'vitest';
import { ALL_RULES, explore, type Rules, type Size } from './claim-model.ts';

const SMALL: Size = { links: 2, readers: 2, untilMax: 3, attemptMax: 3 };

test.each([{ size: SMALL }, { size: { ...SMALL, readers: 3 } }, { size: { ...SMALL, links: 3, untilMax: 2 } }])(
  'under the rules of the protocol no interleaving loses a message: $size',
  ({ size }) => {
    const { states, loss } = explore(ALL_RULES, size);
    console.log(`${states} states`, size);
    expect(loss).toBeUndefined();
    expect(states).toBeGreaterThan(1_000);
  },
);

test.each(Object.keys(ALL_RULES) as (keyof Rules)[])('without the rule %s one does', (rule) => {
  const { states, loss } = explore({ ...ALL_RULES, [rule]: false }, SMALL);
  console.log(`${rule}: lost after ${loss?.length} steps, the ${states}th state: ${loss?.join('; ')}`);
  expect(loss?.length).toBeGreaterThan(3);
});
