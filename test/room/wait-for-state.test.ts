import { afterEach, beforeEach, expect, it } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import { MessageRefused, WaitTimeout } from '../../src/index.ts';
import { contextOf } from '../../src/room/room.ts';
import { waitForState } from '../../src/room/wait-for-state.ts';
import { createSteppedClock, type SteppedClock } from '../hostile/stepped-clock.ts';
import { until } from '../hostile/until.ts';
import { openZoo, readAll, type ZooRoom } from '../hostile/zoo-room.ts';

let clock: SteppedClock;
let zoo: ZooRoom;
beforeEach(async () => {
  clock = createSteppedClock();
  zoo = await openZoo({ host: { ...nodeHost, clock } });
});
afterEach(() => zoo[Symbol.asyncDispose]());

async function sendAndWait(
  state: 'claimed' | 'acknowledged',
  signal?: AbortSignal,
): Promise<{ over: Promise<string> }> {
  await zoo.room.join('carol');
  const { id, outcomes } = await zoo.alice.broadcast({ type: 'INFO', content: 'to all' });
  const recipients = Object.keys(outcomes);
  const waiting = waitForState(contextOf(zoo.room), {
    id,
    from: 'alice',
    recipients,
    state,
    timeoutMs: 10_000,
    signal,
  });
  const over = waiting.then(
    () => 'reached',
    (error: unknown) => {
      if (error instanceof WaitTimeout || error instanceof MessageRefused) return `${error.code}: ${error.message}`;
      throw error;
    },
  );
  await until('it waits', () => clock.sleepers === 1);
  return { over };
}

it('ends once every recipient has got that far, and not before', async () => {
  const { over } = await sendAndWait('claimed');
  for await (const mail of zoo.bob.inbox({ wait: false })) expect(mail.attempt).toBe(1);
  clock.advance(1_000);
  await until('it waits for the other one', () => clock.sleepers === 1);
  await readAll(zoo.room.agent('carol'));
  clock.advance(1_000);
  expect(await over).toBe('reached');
});

it('ends after the timeout, naming who has not got that far', async () => {
  const { over } = await sendAndWait('acknowledged');
  await readAll(zoo.bob);
  clock.advance(1_000);
  await until('it waits for the other one', () => clock.sleepers === 1);
  for await (const mail of zoo.room.agent('carol').inbox({ wait: false })) expect(mail.attempt).toBe(1);
  clock.advance(10_000);
  expect(await over).toMatch(/^TIMEOUT: carol had not acknowledged the message .* after 10 s/);
});

it('ends when a recipient has given the message up, and when the signal aborts', async () => {
  const { over } = await sendAndWait('acknowledged');
  for await (const mail of zoo.bob.inbox({ wait: false })) await mail.reject('no');
  clock.advance(1_000);
  expect(await over).toMatch(/^MESSAGE_REFUSED: bob gave the message .* up/);

  const stop = new AbortController();
  const aborted = await sendAndWait('claimed', stop.signal);
  stop.abort();
  expect(await aborted.over).toMatch(/^TIMEOUT: bob, carol had not claimed/);
});
