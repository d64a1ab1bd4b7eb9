import { expect, test } from 'vitest';
import type { Watching } from '../../src/runtime.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { createSteppedClock } from '../hostile/stepped-clock.ts';
import { until } from '../hostile/until.ts';
import { openPair } from './pair.ts';

const MESSAGES = 300;
const POLL_MS = 1_000;
const SEED = Number(process.env['MAILROOM_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** A watcher that loses this share of hints, and counts. */
function forgetful(lostShare: number): Watching & { hints: number; lost: number } {
  let state = SEED;
  const random = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
  const watching = {
    ...nodeHost.watching,
    hints: 0,
    lost: 0,
    directory: (path: string, onHint: () => void, onFailure: (reason: string) => void) =>
      nodeHost.watching.directory(
        path,
        () => {
          watching.hints += 1;
          if (random() < lostShare) watching.lost += 1;
          else onHint();
        },
        onFailure,
      ),
  };
  return watching;
}

test.each([0.9, 1])(
  'everything arrives within a poll although the share %d of all hints is lost',
  async (lostShare) => {
    const clock = createSteppedClock();
    const watching = forgetful(lostShare);
    await using pair = await openPair({ host: { clock, watching } });
    const ending = new AbortController();
    const read: number[] = [];
    const reading = (async () => {
      for await (const mail of pair.bob.inbox({ signal: ending.signal })) {
        read.push(Number(mail.message.content));
        await mail.ack();
      }
    })();
    let polls = 0;
    for (let number = 0; number < MESSAGES; number++) {
      await pair.alice.send({ to: 'bob', type: 'INFO', content: String(number) });
      // Every so often the hints that came take effect, and then the reader sleeps until the next poll.
      if (number % 10 !== 9) continue;
      await until('the reader sleeps', () => clock.sleepers === 1);
      clock.advance(POLL_MS);
      polls += 1;
      await until('one poll has found all that was sent', () => read.length === number + 1);
    }
    ending.abort();
    await reading;
    expect(read).toEqual(Array.from({ length: MESSAGES }, (_, number) => number));
    console.log(
      `${MESSAGES} messages, ${polls} polls; ${watching.hints} hints came, ${watching.lost} of them lost; MAILROOM_SEED=${SEED}`,
    );
  },
);
