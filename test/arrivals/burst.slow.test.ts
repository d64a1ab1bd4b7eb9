import { expect, test } from 'vitest';
import { amount } from '../run/amount.ts';
import { flood } from './burst.ts';

/** The long set overflows the queue of inotify(7); `lost-hints.test.ts` has the effect of that on the reader. */
const MESSAGES = amount(1_500, { long: 40_000 });

test('a reader whose event loop is blocked for 2 s loses nothing of a burst', async () => {
  const startedMs = Date.now();
  const { arrived, duplicates, waiting } = await flood(MESSAGES);
  console.log(
    `${arrived} of ${MESSAGES} arrived, ${MESSAGES - arrived} lost, ${duplicates} twice; ${waiting} lay in new when the ` +
      `blocked loop went on; ${((Date.now() - startedMs) / 1000).toFixed(1)} s`,
  );
  expect({ arrived, duplicates }).toEqual({ arrived: MESSAGES, duplicates: 0 });
});
