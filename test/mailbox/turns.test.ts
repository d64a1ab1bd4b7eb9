import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTurns, type Turn } from '../../src/mailbox/send-order.ts';
import { propertySeed } from '../chain/seed.ts';

const seed = propertySeed('turns');

test('a turn asked for when all before have passed has come at once', () => {
  const takeTurn = createTurns();
  const first = takeTurn();
  expect(first.came).toBeUndefined();
  first.pass();
  first.pass();
  expect(takeTurn().came).toBeUndefined();
});

test('in whatever order turns pass, one has come exactly when all before it have passed', async () => {
  let checked = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.constant('take' as const), fc.nat({ max: 7 })), { maxLength: 40 }),
      async (steps) => {
        const takeTurn = createTurns();
        const turns: Turn[] = [];
        const passed: boolean[] = [];
        const came: boolean[] = [];
        for (const step of steps) {
          if (step === 'take') {
            const turn = takeTurn();
            const index = turns.push(turn) - 1;
            passed.push(false);
            came.push(turn.came === undefined);
            void turn.came?.then(() => (came[index] = true));
          } else {
            turns[step]?.pass();
            if (step < turns.length) passed[step] = true;
          }
          // Every promise that is settled by now has told so.
          await new Promise((resolve) => setImmediate(resolve));
          for (let index = 0; index < turns.length; index++) {
            expect(came[index]).toBe(passed.slice(0, index).every(Boolean));
            checked += 1;
          }
        }
      },
    ),
    { seed, numRuns: 300 },
  );
  console.log(`${checked} looks at turns`);
});
