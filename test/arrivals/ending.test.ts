import { expect, test } from 'vitest';
import type { Clock, Watching } from '../../src/runtime.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { until } from '../hostile/until.ts';
import { openPair, type Pair } from './pair.ts';

/** Longer than any test: a reader that wakes earlier was woken. */
const POLL_MS = 3_600_000;

/** Counts what a waiting reader holds: timers of the clock, watchers of the system. */
function countingHost() {
  const held = { sleeps: 0, watchers: 0, everSlept: 0, everWatched: 0 };
  const clock: Clock = {
    ...nodeHost.clock,
    sleep: async (durationMs, signal) => {
      held.sleeps += 1;
      held.everSlept += 1;
      await nodeHost.clock.sleep(durationMs, signal);
      held.sleeps -= 1;
    },
  };
  const watching: Watching = {
    ...nodeHost.watching,
    directory: (path, onHint, onFailure) => {
      held.watchers += 1;
      held.everWatched += 1;
      const close = nodeHost.watching.directory(path, onHint, onFailure);
      return () => {
        held.watchers -= 1;
        close();
      };
    },
  };
  return { held, host: { clock, watching } };
}

/** An abort signal that counts its listeners. */
function countingSignal() {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners += 1;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners -= 1;
    remove(...args);
  };
  return { controller, signal, listening: () => listeners };
}

/** What keeps the process alive, by kind. */
function activeKinds(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout' || kind === 'FSEventWrap');
}

const READINGS = [
  { how: 'watching', options: {}, watchers: 1 },
  { how: 'polling only', options: { watch: false }, watchers: 0 },
] as const;

test.each(READINGS)(
  'abort ends a waiting reader at once and leaves nothing behind: $how',
  async ({ options, watchers }) => {
    const { held, host } = countingHost();
    await using pair = await openPair({ host });
    const before = activeKinds();
    const { controller, signal, listening } = countingSignal();
    const read: string[] = [];
    const reading = (async () => {
      for await (const mail of pair.bob.inbox({ ...options, pollMs: POLL_MS, signal })) {
        read.push(mail.message.content);
        await mail.ack();
      }
    })();
    await until('it waits', () => held.sleeps === 1);
    expect(held.watchers).toBe(watchers);
    // However often it was woken, it holds one timer and one listener.
    for (let wakes = 0; watchers > 0 && wakes < 20; wakes++) {
      await pair.alice.send({ to: 'bob', type: 'INFO', content: String(wakes) });
      await until('it was woken', () => read.length > wakes);
      expect(held.sleeps).toBe(1);
      expect(listening()).toBe(1);
    }
    controller.abort();
    await reading;
    expect(held).toMatchObject({ sleeps: 0, watchers: 0, everWatched: watchers });
    expect(listening()).toBe(0);
    await until('no timer and no watcher is left', () => activeKinds().length <= before.length);
    console.log(`${held.everSlept} waits, ${held.everWatched} watchers, none left`);
  },
);

test('a reader that stops by itself, or by an error of its own, leaves nothing behind either', async () => {
  const { held, host } = countingHost();
  await using pair = await openPair({ host });
  const sendToWaiting = async (content: string): Promise<void> => {
    await until('it waits', () => held.watchers === 1);
    await pair.alice.send({ to: 'bob', type: 'INFO', content });
  };
  const reading = async (handle: () => void): Promise<void> => {
    for await (const mail of pair.bob.inbox({ pollMs: POLL_MS })) {
      await mail.ack();
      handle();
      break;
    }
  };
  await Promise.all([reading(() => {}), sendToWaiting('first')]);
  expect(held).toMatchObject({ watchers: 0, everWatched: 1 });
  const failing = (): never => {
    throw new Error('the handler failed');
  };
  const [failed] = await Promise.allSettled([reading(failing), sendToWaiting('second')]);
  expect(failed).toMatchObject({ status: 'rejected', reason: { message: 'the handler failed' } });
  expect(held).toMatchObject({ watchers: 0, everWatched: 2, sleeps: 0 });
});

test('after an abort nothing more is handed out, and what was handed out stays claimed', async () => {
  await using pair = await openPair();
  await sendNumbers(pair, 5);
  const controller = new AbortController();
  const held: string[] = [];
  for await (const mail of pair.bob.inbox({ signal: controller.signal })) {
    held.push(mail.message.id);
    if (held.length === 2) controller.abort();
  }
  expect(held).toHaveLength(2);
  expect(held.map((id) => pair.readerRoom.status(id)[0]?.state)).toEqual(['claimed', 'claimed']);
  const aborted = pair.bob.inbox({ signal: controller.signal });
  for await (const mail of aborted) expect.unreachable(`handed out ${mail.message.id}`);
  const rest: string[] = [];
  for await (const mail of pair.bob.inbox({ wait: false })) rest.push(mail.message.content);
  expect(rest).toEqual(['2', '3', '4']);
});

async function sendNumbers({ alice }: Pair, count: number): Promise<void> {
  for (let number = 0; number < count; number++) await alice.send({ to: 'bob', type: 'INFO', content: String(number) });
}
