import { expect, test } from 'vitest';
import { choice } from '../run/amount.ts';
import { ALL_RULES, explore, type Rules, type Size } from './claim-model.ts';

const SMALL: Size = { links: 2, readers: 2, untilMax: 3, attemptMax: 3, letters: 0, purges: false };
const PURGED: Size = { ...SMALL, links: 1, untilMax: 2, attemptMax: 2, letters: 1, purges: true };

const SIZES: readonly { readonly size: Size }[] = [
  { size: SMALL },
  { size: { ...SMALL, readers: 3 } },
  { size: { ...SMALL, links: 3, untilMax: 2 } },
  { size: { ...SMALL, letters: 1, untilMax: 2 } },
  { size: { ...PURGED, letters: 2 } },
  { size: { ...PURGED, links: 2, letters: 2 } },
];

// In CI the smallest without and with dead letters, and with purges; the long set has one more of each.
test.each(choice(SIZES, ({ size: { links, readers, purges } }) => links + readers === (purges ? 3 : 4)))(
  'under the rules of the protocol no interleaving loses a message, or hands it out after it was purged: $size',
  ({ size }) => {
    const { states, loss, replay } = explore(ALL_RULES, size);
    console.log(`${states} states`, size);
    expect({ loss, replay }).toEqual({ loss: undefined, replay: undefined });
    expect(states).toBeGreaterThan(1_000);
  },
);

test('without the check of the purged days, a message that was put back is handed out after it was purged', () => {
  const { states, replay } = explore({ ...ALL_RULES, attemptZeroIsNew: false }, PURGED);
  console.log(`a replay after ${replay?.length} steps, the ${states}th state: ${replay?.join('; ')}`);
  expect(replay?.length).toBeGreaterThan(3);
});

const AGAINST_LOSS = (Object.keys(ALL_RULES) as (keyof Rules)[]).filter((rule) => rule !== 'attemptZeroIsNew');

test.each(AGAINST_LOSS)('without the rule %s one is lost', (rule) => {
  const { states, loss } = explore({ ...ALL_RULES, [rule]: false }, SMALL);
  console.log(`${rule}: lost after ${loss?.length} steps, the ${states}th state: ${loss?.join('; ')}`);
  expect(loss?.length).toBeGreaterThan(3);
});
