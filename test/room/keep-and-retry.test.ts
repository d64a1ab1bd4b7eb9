import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FileSystem } from '../../src/host/file-system.ts';
import type { Clock } from '../../src/host/host.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { initRoom, openRoom, type Agent, type Mail, type Room } from '../../src/index.ts';
import { failAt } from '../faults/faulty-files.ts';
import { until } from '../processes/child.ts';

/** A clock that sleeping moves. */
function createSleepingClock(): Clock & { sleeps: number[] } {
  let aheadMs = 0;
  const clock = {
    sleeps: [] as number[],
    now: () => Date.now() + aheadMs,
    uptimeMs: () => performance.now() + aheadMs,
    sleep: async (durationMs: number, signal?: AbortSignal) => {
      await new Promise((resolve) => setImmediate(resolve));
      if (signal?.aborted) return;
      aheadMs += durationMs;
      clock.sleeps.push(durationMs);
    },
  };
  return clock;
}

const LEASE_MS = 60_000;

let base: string;
let clock: ReturnType<typeof createSleepingClock>;
let files: FileSystem;
let room: Room;
let alice: Agent;
let bob: Agent;
beforeEach(async () => {
  base = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-keep-'));
  const { directory } = await initRoom({ cwd: base, limits: { rateLimit: 4, newMessagesMax: 3 } });
  clock = createSleepingClock();
  files = nodeHost.files;
  const late = new Proxy(nodeHost.files, { get: (_, name) => files[name as keyof FileSystem] });
  const host = { ...nodeHost, clock, files: late };
  room = await openRoom({ directory, host, durability: 'process', nudge: () => {} });
  alice = await room.join('alice');
  bob = await room.join('bob');
});
afterEach(async () => {
  files = nodeHost.files;
  await room.close();
  fs.rmSync(base, { recursive: true });
});

async function claimed(): Promise<Mail> {
  const { id } = await alice.send({ to: 'bob', type: 'QUESTION', content: 'which port?' });
  return bob.claim(id, { leaseMs: LEASE_MS });
}

const twoTurns = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('a kept message', () => {
  it('is renewed three times per lease until it is disposed, and never afterwards', async () => {
    const mail = await claimed();
    const endedAtMs = mail.leaseEndsAtMs;
    let renewals = 0;
    const kept = mail.keep({ leaseMs: LEASE_MS, onRenew: () => (renewals += 1) });
    await until('the time of ten leases has passed', () => clock.now() > endedAtMs + 10 * LEASE_MS);
    expect(mail.leaseEndsAtMs).toBeGreaterThan(clock.now());
    expect(renewals).toBeGreaterThanOrEqual(30);
    expect(kept.signal.aborted).toBe(false);
    await kept[Symbol.asyncDispose]();
    const before = renewals;
    await twoTurns();
    expect(renewals).toBe(before);
  });

  it('is renewed soon if another process made the claim long ago', async () => {
    const mail = await claimed();
    await clock.sleep(LEASE_MS - 300);
    const [held] = bob.held();
    clock.sleeps.length = 0;
    await using kept = (held as Mail).keep({ leaseMs: LEASE_MS });
    await until('it is renewed', () => bob.held()[0]?.leaseEndsAtMs !== mail.leaseEndsAtMs);
    expect(clock.sleeps[0]).toBeLessThanOrEqual(100);
    expect(kept.signal.aborted).toBe(false);
  });

  it('aborts its signal if another reader has it', async () => {
    const mail = await claimed();
    await using kept = mail.keep({ leaseMs: LEASE_MS });
    await bob.acknowledge(mail.message.id);
    await until('it is noticed', () => kept.signal.aborted);
    expect(kept.signal.reason).toMatchObject({ code: 'LEASE_LOST' });
  });

  it('survives a renewal that fails for now', async () => {
    const mail = await claimed();
    const before = mail.leaseEndsAtMs;
    const faulty = failAt(nodeHost.files, { n: 1, error: 'ENOSPC', lasting: true });
    files = faulty.files;
    await using kept = mail.keep({ leaseMs: LEASE_MS });
    await until('a renewal has failed', () => faulty.fired);
    files = nodeHost.files;
    await until('it is renewed', () => mail.leaseEndsAtMs > before);
    expect(kept.signal.aborted).toBe(false);
  });

  it('ends its renewals when it is acknowledged', async () => {
    const mail = await claimed();
    await using kept = mail.keep({ leaseMs: LEASE_MS });
    await mail.ack();
    await twoTurns();
    clock.sleeps.length = 0;
    await twoTurns();
    expect([clock.sleeps, kept.signal.aborted]).toEqual([[], false]);
  });

  it('throws on disposal what onRenew threw', async () => {
    const mail = await claimed();
    const fault = new Error('of the caller');
    const kept = mail.keep({
      leaseMs: LEASE_MS,
      onRenew: () => {
        throw fault;
      },
    });
    await twoTurns();
    await expect(kept[Symbol.asyncDispose]()).rejects.toBe(fault);
  });
});

describe('a send with retry', () => {
  it('waits for the rate limit, however often, and arrives', async () => {
    await room.join('carol');
    for (const content of ['1', '2', '3', '4']) await bob.send({ to: 'carol', type: 'INFO', content }).catch(() => {});
    const before = clock.now();
    await bob.send({ to: 'alice', type: 'INFO', content: 'late' }, { retry: { triesMax: 1 } });
    expect(clock.now() - before).toBeGreaterThan(30_000);
    expect(alice.list().unsettled.map(({ message }) => message.content)).toEqual(['late']);
  });

  it('does not let a message expire while it waits for the rate limit', async () => {
    await room.join('carol');
    for (const content of ['1', '2', '3', '4']) await bob.send({ to: 'carol', type: 'INFO', content }).catch(() => {});
    await bob.send({ to: 'alice', type: 'INFO', content: 'in time', expiresInMs: 5_000 }, { retry: {} });
    const { unsettled, unfit } = alice.list();
    expect([unsettled.map(({ message }) => message.content), unfit]).toEqual([['in time'], 0]);
  });

  it('retries a full mailbox at growing intervals, and rejects with the last error', async () => {
    for (const content of ['1', '2']) await alice.send({ to: 'bob', type: 'INFO', content });
    await clock.sleep(120_000);
    clock.sleeps.length = 0;
    const sent = alice.send({ to: 'bob', type: 'INFO', content: '4' }, { retry: { triesMax: 4 } });
    await expect(sent).rejects.toMatchObject({ code: 'MAILBOX_FULL' });
    expect(clock.sleeps).toEqual([250, 500, 1_000]);
  });

  it('sends one message under one id, whatever an earlier attempt has left', async () => {
    let faults = 0;
    for (let n = 1, steps = Infinity; n <= steps; n++) {
      const faulty = failAt(nodeHost.files, { n, error: 'EIO', when: 'after' });
      files = faulty.files;
      const report = await alice.send({ to: 'bob', type: 'INFO', content: `${n}` }, { retry: {} });
      files = nodeHost.files;
      const found = bob.list().unsettled.filter(({ message }) => message.content === `${n}`);
      expect(found.map(({ message }) => message.id)).toEqual([report.id]);
      await bob.acknowledge(report.id);
      steps = faulty.steps.length;
      if (faulty.fired) faults++;
    }
    console.log(`${faults} faults of calls of a send`);
    expect(faults).toBeGreaterThan(5);
  });

  it('does not retry what cannot pass, or an id from the future', async () => {
    clock.sleeps.length = 0;
    const nobody = alice.send({ to: 'nobody', type: 'INFO', content: '' }, { retry: {} });
    await expect(nobody).rejects.toMatchObject({ code: 'ACTOR_NOT_FOUND' });
    const id = '0fffffff-ffff-7000-8000-000000000001';
    const early = alice.send({ to: 'bob', type: 'INFO', content: '', id }, { retry: {} });
    await expect(early).rejects.toMatchObject({ code: 'MESSAGE_REFUSED' });
    expect(clock.sleeps).toEqual([]);
  });

  it('ends with the reason of its signal', async () => {
    for (const content of ['1', '2']) await alice.send({ to: 'bob', type: 'INFO', content });
    const leaving = new AbortController();
    const sent = alice.send({ to: 'bob', type: 'INFO', content: '4' }, { retry: { signal: leaving.signal } });
    leaving.abort(new Error('enough'));
    await expect(sent).rejects.toThrow('enough');
  });
});
