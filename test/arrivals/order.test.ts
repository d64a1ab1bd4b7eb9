import { expect, test } from 'vitest';
import { openPair } from './pair.ts';

const AT_ONCE = 64;
const BATCHES = 12;

test('messages that one process sends at once are read in the order of the calls, even while its counter changes files', async () => {
  // A counter of many small files, so that some sends have to wait for the next one, and others come after them.
  await using pair = await openPair({ limits: { rateLimit: 64, rateWindowMs: 1, rateSegmentBytesMax: 1 } });
  const sent: string[] = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    const contents = Array.from({ length: AT_ONCE }, (_, n) => `${batch}.${n}`);
    const results = await Promise.allSettled(
      contents.map((content) => pair.alice.send({ to: 'bob', type: 'INFO', content })),
    );
    sent.push(...contents.filter((_, index) => results[index]?.status === 'fulfilled'));
    if (batch % 3 !== 2) continue;
    const read: string[] = [];
    for await (const mail of pair.bob.inbox({ wait: false })) {
      read.push(mail.message.content);
      await mail.ack();
    }
    expect(read).toEqual(sent.splice(0));
  }
});
