import { expect, test } from 'vitest';
import { openRoom } from '../../src/index.ts';
import { until } from '../hostile/until.ts';
import { openPair } from './pair.ts';

const MESSAGES = 400;

test.each(['in one process', 'each with a room of its own'])(
  'two readers of one mailbox share its mail without loss, and no message is handed out twice: %s',
  async (how) => {
    await using pair = await openPair();
    await using other = await openRoom({ directory: pair.directory });
    const second = how === 'in one process' ? pair.bob : other.agent('bob');
    const ending = new AbortController();
    const read: [string[], string[]] = [[], []];
    const count = (): number => read[0].length + read[1].length;
    const reading = [pair.bob, second].map(async (bob, index) => {
      for await (const mail of bob.inbox({ signal: ending.signal })) {
        read[index]?.push(mail.message.content);
        // So that the two take turns, as they would with work to do.
        await new Promise((resolve) => setImmediate(resolve));
        await mail.ack();
      }
    });
    const contents = Array.from({ length: MESSAGES }, (_, number) => String(number));
    for (const content of contents) await pair.alice.send({ to: 'bob', type: 'INFO', content });
    await until('all is read', () => count() >= MESSAGES);
    ending.abort();
    await Promise.all(reading);
    expect(read.flat().sort()).toEqual(contents.sort());
    expect(Math.min(read[0].length, read[1].length), 'one reader had all the mail').toBeGreaterThan(0);
    console.log(`${how}: ${read[0].length} and ${read[1].length} of ${MESSAGES}`);
  },
);
