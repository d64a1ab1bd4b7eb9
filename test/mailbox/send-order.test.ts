import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSendOrder, type Slot } from '../../src/mailbox/send-order.ts';
import { propertySeed } from '../chain/seed.ts';
import { amount } from '../run/amount.ts';

const seed = propertySeed('send-order');

test('a slot is ready at once if all earlier ones are done', () => {
  const takeSlot = createSendOrder();
  const first = takeSlot();
  expect(first.ready).toBeUndefined();
  first.done();
  first.done();
  expect(takeSlot().ready).toBeUndefined();
});

test('a slot is ready exactly when all earlier ones are done, in whatever order they finish', async () => {
  let checked = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.constant('take' as const), fc.nat({ max: 7 })), { maxLength: 40 }),
      async (steps) => {
        const takeSlot = createSendOrder();
        const slots: Slot[] = [];
        const done: boolean[] = [];
        const ready: boolean[] = [];
        for (const step of steps) {
          if (step === 'take') {
            const slot = takeSlot();
            const index = slots.push(slot) - 1;
            done.push(false);
            ready.push(slot.ready === undefined);
            void slot.ready?.then(() => (ready[index] = true));
          } else {
            slots[step]?.done();
            if (step < slots.length) done[step] = true;
          }
          // Let every promise that is settled by now run its handlers.
          await new Promise((resolve) => setImmediate(resolve));
          for (let index = 0; index < slots.length; index++) {
            expect(ready[index]).toBe(done.slice(0, index).every(Boolean));
            checked += 1;
          }
        }
      },
    ),
    { seed, numRuns: amount(100, { long: 300 }) },
  );
  console.log(`${checked} looks at slots`);
});
