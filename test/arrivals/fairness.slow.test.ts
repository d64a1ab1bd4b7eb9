import { expect, test } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import type { Clock } from '../../src/runtime.ts';
import { amount } from '../run/amount.ts';
import { openPair } from './pair.ts';
import { putFlood } from './put-flood.ts';

const FLOOD = amount(1_000, { long: 5_000 });
/** Large enough that only its beginning is read. */
const LONG_ENOUGH = 500;
const ROUND = 30;
/** By the reader's own clock; a mailbox is listed again after 1 s. */
const LISTED_EVERY_MS = 1_000;

/** A clock on which each message takes this long. */
function slowClock(): Clock & { pass(ms: number): void } {
  let passedMs = 0;
  return {
    ...nodeHost.clock,
    now: () => nodeHost.clock.now() + passedMs,
    pass: (ms) => (passedMs += ms),
  };
}

test(`an existing flood of ${FLOOD} holds up the one message of another sender by at most one round`, async () => {
  await using pair = await openPair({ senders: ['flooder'] });
  putFlood(pair, { from: 'flooder', count: FLOOD });
  await pair.alice.send({ to: 'bob', type: 'INFO', content: 'the one' });
  expect(await placeOfAlice(pair.bob.inbox({ wait: false }))).toBeLessThanOrEqual(ROUND);
});

test('a flood of expired claims holds up new mail by at most one round', async () => {
  await using pair = await openPair({ senders: ['flooder'] });
  putFlood(pair, { from: 'flooder', count: LONG_ENOUGH, claim: ',1,0' });
  await pair.alice.send({ to: 'bob', type: 'INFO', content: 'the one' });
  expect(await placeOfAlice(pair.bob.inbox({ wait: false }))).toBeLessThanOrEqual(ROUND);
});

test.each([50, 400, 1_500])(
  'a message that arrives while a flood is drained waits for the end of its round and one more: %d ms a message',
  async (messageMs) => {
    const clock = slowClock();
    await using pair = await openPair({ senders: ['flooder'], host: { clock } });
    putFlood(pair, { from: 'flooder', count: LONG_ENOUGH });
    // What a second holds of the current listing, up to the end of its round, and then one round of the new listing.
    const listed = Math.ceil(LISTED_EVERY_MS / messageMs / ROUND) * ROUND;
    const sentAt = [7, 31, 44, 60];
    const waited: number[] = [];
    let handled = 0;
    const sentAfter: number[] = [];
    for await (const mail of pair.bob.inbox({ wait: false, leaseMs: 24 * 3_600_000 })) {
      handled += 1;
      clock.pass(messageMs);
      await mail.ack();
      if (mail.message.from === 'alice') waited.push(handled - (sentAfter[waited.length] ?? 0));
      if (sentAt.includes(handled)) {
        sentAfter.push(handled);
        await pair.alice.send({ to: 'bob', type: 'INFO', content: 'one' });
      }
      if (waited.length === sentAt.length) break;
    }
    expect(waited).toHaveLength(sentAt.length);
    expect(Math.max(...waited)).toBeLessThanOrEqual(listed + ROUND + 1);
    console.log(`${messageMs} ms a message: the single messages waited for ${waited.join(', ')} others`);
  },
);

/** How many came before the first message of alice. */
async function placeOfAlice(mails: AsyncIterable<{ message: { from: string } }>): Promise<number> {
  let before = 0;
  for await (const { message } of mails) {
    if (message.from === 'alice') return before;
    before += 1;
  }
  throw new Error('it never came');
}
