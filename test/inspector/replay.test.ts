import { describe, expect, it } from 'vitest';
import { VIEWER_URL } from '../../src/inspector/page.ts';
import { InspectRelay, InspectReplay } from '../../src/inspector/relay.ts';
import { wireBase, type WireEvent } from '../../src/inspector/wire.ts';
import type { Listener, LoopbackOptions } from '../../src/host/loopback-server.ts';
import { nodeClock } from '../../src/host/node-clock.ts';
import { until } from '../hostile/until.ts';

const BYTES_MAX = 64 * 1024;

const base = (sessionId: string, seq: number): ReturnType<typeof wireBase> =>
  wireBase({ id: `${sessionId}#${seq}.0`, at: seq, sessionId, rootId: sessionId });
const actor = (name: string, seq: number): WireEvent => ({
  type: '@xstate.actor',
  name,
  definition: '{}',
  snapshot: { status: 'active' },
  ...base(name, seq),
});
const step = (name: string, seq: number): WireEvent => ({
  type: '@xstate.snapshot',
  event: { type: 'GO' },
  snapshot: { status: 'active', value: 'idle' },
  ...base(name, seq),
});

describe('what is kept for late viewers', () => {
  it('is bounded in bytes, and actors are dropped last', () => {
    const replay = new InspectReplay(BYTES_MAX);
    const names = Array.from({ length: 20 }, (_, index) => `actor-${index}`);
    for (const name of names) replay.add(actor(name, 0));
    for (let seq = 1; seq <= 20_000; seq++) {
      replay.add(step('actor-1', seq));
      if (replay.bytes > BYTES_MAX) throw new Error(`${replay.bytes} bytes at ${seq}`);
    }
    console.log(`${replay.end} events added, the last ${replay.end - replay.first} kept in ${replay.bytes} bytes`);
    expect(replay.actors).toHaveLength(names.length);
    expect(replay.at(0)).toBeUndefined();
    expect(replay.at(replay.end - 1)).toMatchObject({ isActor: false });
    for (let count = 0; count < 2_000; count++) replay.add(actor(`other-${count}`, count));
    expect(replay.bytes).toBeLessThanOrEqual(BYTES_MAX);
  });
});

describe('the relay', () => {
  it('cuts off a viewer that is too slow, sends others everything, and skips what was dropped before they connected', async () => {
    const server = fakeServer();
    const relay = await InspectRelay.start({
      start: server.start,
      clock: nodeClock,
      port: 0,
      viewerUrl: VIEWER_URL,
      token: 'known',
      bytesMax: BYTES_MAX,
    });
    relay.add(actor('ship', 0));
    const slow = server.connect({ isStuck: true });
    const quick = server.connect();
    for (let seq = 1; seq <= 5_000; seq++) {
      relay.add(step('ship', seq));
      await quick.has(seq + 1);
    }
    const late = server.connect();
    slow.release();
    await until('the slow one is cut off', () => slow.endedAs() !== undefined);
    expect(slow.endedAs()).toContain('too slow');
    expect(quick.ids()).toEqual(Array.from({ length: 5_001 }, (_, seq) => `ship#${seq}.0`));
    await relay.close();
    expect(late.ids()[0]).toBe('ship#0.0');
    expect(late.ids().at(-1)).toBe('ship#5000.0');
    expect(late.ids().length).toBeLessThan(1_000);
    expect(late.endedAs()).toContain('everything');
  });
});

interface FakeListener {
  ids(): string[];
  has(count: number): Promise<void>;
  release(): void;
  endedAs(): string | undefined;
}

function fakeServer(): {
  start: (options: LoopbackOptions) => Promise<{ port: number; close(): Promise<void> }>;
  connect(options?: { isStuck?: boolean }): FakeListener;
} {
  let options: LoopbackOptions | undefined;
  return {
    start: async (given) => {
      options = given;
      return { port: 1, close: async () => {} };
    },
    connect: ({ isStuck = false } = {}) => {
      const got: string[] = [];
      let reason: string | undefined;
      let release = (): void => {};
      const stuck = isStuck ? new Promise<void>((resolve) => (release = resolve)) : undefined;
      const gone = new AbortController();
      const listener: Listener = {
        gone: gone.signal,
        send: async (text) => {
          await stuck;
          got.push((JSON.parse(Buffer.from(text).toString('utf8')) as WireEvent).id);
        },
        end: (why) => {
          reason = why;
          gone.abort();
        },
      };
      options?.onListener(listener);
      return {
        ids: () => got,
        has: async (count) => {
          while (got.length < count) await Promise.resolve();
        },
        release: () => release(),
        endedAs: () => reason,
      };
    },
  };
}
