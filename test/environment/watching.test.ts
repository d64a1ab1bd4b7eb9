import fs from 'node:fs';
import { expect, test } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import type { Watching } from '../../src/runtime.ts';
import { systemError } from '../faults/faulty-files.ts';
import { createSteppedClock } from '../hostile/stepped-clock.ts';
import { until } from '../hostile/until.ts';
import { logged, openZoo, type ZooRoom } from '../hostile/zoo-room.ts';

const POLL_MS = 1_000;

interface Reading {
  /** The contents of the messages read. */
  readonly read: readonly string[];
  /** The error that ended it, once there is one. */
  readonly failure: () => unknown;
  stop(this: void): Promise<void>;
}

/** Lets bob read until he is told to stop. */
function startReading(zoo: ZooRoom, options: { watch?: boolean } = {}): Reading {
  const ending = new AbortController();
  const read: string[] = [];
  let failure: unknown;
  const reading = (async () => {
    for await (const mail of zoo.bob.inbox({ signal: ending.signal, ...options })) {
      read.push(mail.message.content);
      await mail.ack();
    }
  })().catch((error: unknown) => (failure = error));
  return {
    read,
    failure: () => failure,
    stop: async () => {
      ending.abort();
      await reading;
    },
  };
}

function send(zoo: ZooRoom, content: string): Promise<unknown> {
  return zoo.alice.send({ to: 'bob', type: 'INFO', content });
}

/** A watching port that fails as the system does, at once or after a while, and counts the calls. */
function failing(reason: string, { later }: { later: boolean }): Watching & { readonly asked: number } {
  let asked = 0;
  return {
    directory: (_path, _onHint, onFailure) => {
      asked += 1;
      if (later) queueMicrotask(() => onFailure(reason));
      else onFailure(reason);
      return () => {};
    },
    tree: () => Promise.reject(systemError(reason, { name: 'watch', path: '' })),
    get asked() {
      return asked;
    },
  };
}

const FAILURES = ['EMFILE', 'ENOSPC', 'ENOSYS'].flatMap((reason) => [
  [reason, 'at once', false] as const,
  [reason, 'later', true] as const,
]);

test.each(FAILURES)('without a watcher (%s, %s) polling delivers, with one warning', async (reason, _when, later) => {
  const clock = createSteppedClock();
  const watching = failing(reason, { later });
  await using zoo = await openZoo({ host: { ...nodeHost, clock, watching } });
  const { read, stop } = startReading(zoo);
  await until('bob waits', () => clock.sleepers === 1);
  for (let second = 0; second < 30; second++) {
    await send(zoo, String(second));
    expect(read).toHaveLength(second);
    clock.advance(POLL_MS);
    await until('the message is read', () => read.length === second + 1);
    await until('bob waits again', () => clock.sleepers === 1);
  }
  await stop();
  expect(logged(zoo.directory, 'warning')).toMatchObject([
    {
      to: 'bob',
      detail: `${zoo.mailbox.new} cannot be watched (${reason}); it is listed every ${POLL_MS} ms instead.`,
    },
  ]);
  // Retried every ten seconds, because the cause may pass.
  expect(watching.asked).toBeGreaterThan(1);
  expect(watching.asked).toBeLessThanOrEqual(4);
  console.log(`${reason}: ${read.length} read by polling, a watcher tried ${watching.asked} times`);
});

test('an unavailable system watcher is a failure and no crash', async () => {
  const reasons: string[] = [];
  const close = nodeHost.watching.directory(
    '/nowhere/at/all',
    () => {},
    (reason) => reasons.push(reason),
  );
  close();
  expect(reasons).toEqual(['ENOENT']);
});

test('with watching off, a reader polls and nothing is watched', async () => {
  const clock = createSteppedClock();
  const watching = failing('EMFILE', { later: false });
  await using zoo = await openZoo({ host: { ...nodeHost, clock, watching } });
  const { read, stop } = startReading(zoo, { watch: false });
  await until('bob waits', () => clock.sleepers === 1);
  await send(zoo, 'x');
  clock.advance(POLL_MS);
  await until('the message is read', () => read.length === 1);
  await stop();
  expect(watching.asked).toBe(0);
  expect(logged(zoo.directory, 'warning')).toEqual([]);
});

test('a hint alone wakes a reader, long before the next poll', async () => {
  const clock = createSteppedClock();
  await using zoo = await openZoo({ host: { ...nodeHost, clock } });
  const { read, stop } = startReading(zoo);
  await until('bob waits', () => clock.sleepers === 1);
  await send(zoo, 'x');
  await until('the message is read while the clock stands', () => read.length === 1);
  await stop();
  expect(read).toEqual(['x']);
});

test('mail arrives after the watched directory was replaced, even if it was missing for a moment', async () => {
  const clock = createSteppedClock();
  await using zoo = await openZoo({ host: { ...nodeHost, clock } });
  const { read, stop } = startReading(zoo);
  const inNew = zoo.mailbox.new;
  await until('bob waits', () => clock.sleepers === 1);
  for (let round = 0; round < 5; round++) {
    fs.renameSync(inNew, `${inNew}-${round}`);
    await until('bob has looked, found nothing and waits again', () => clock.sleepers === 1);
    if (round % 2 === 0) clock.advance(POLL_MS);
    await until('bob waits again', () => clock.sleepers === 1);
    fs.mkdirSync(inNew);
    await send(zoo, `${round} by poll`);
    clock.advance(POLL_MS);
    await until('the message is read', () => read.length === 2 * round + 1);
    await until('bob waits again', () => clock.sleepers === 1);
    await send(zoo, `${round} by hint`);
    await until('the message is read while the clock stands', () => read.length === 2 * round + 2);
    await until('bob waits again', () => clock.sleepers === 1);
  }
  await stop();
  expect(read).toHaveLength(10);
  console.log(`replaced 5 times, ${read.length} messages read`);
});

test('a reader whose mailbox stays missing says so instead of waiting for ever', async () => {
  const clock = createSteppedClock();
  await using zoo = await openZoo({ host: { ...nodeHost, clock } });
  const { failure, stop } = startReading(zoo);
  await until('bob waits', () => clock.sleepers === 1);
  fs.renameSync(zoo.mailbox.new, `${zoo.mailbox.new}-away`);
  for (let poll = 0; poll < 10 && failure() === undefined; poll++) {
    await until('bob waits or gives up', () => clock.sleepers === 1 || failure() !== undefined);
    clock.advance(POLL_MS);
  }
  await stop();
  expect(failure()).toMatchObject({
    code: 'ROOM_REFUSED',
    message: expect.stringContaining('The mailbox of bob was not read: a part of the room is missing'),
    hint: 'Complete the room with: mailroom doctor --fix',
  });
});
