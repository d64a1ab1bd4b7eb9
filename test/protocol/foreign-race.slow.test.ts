import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { amount } from '../run/amount.ts';
import { isPythonThere, PythonError, startPythonClient, type PythonClient } from './python-client.ts';
import { codeOf, createSharedRoom, type PythonMail, type SharedRoom } from './shared-room.ts';

const NO_LIMIT = 100_000;
const GOOD_SHARE = amount(40, { long: 100 });

describe.skipIf(!isPythonThere())('the library and the client in Python at the same time', () => {
  let python: PythonClient;
  beforeAll(() => {
    python = startPythonClient();
  });
  afterAll(() => python.close());

  test('two claimers of one mailbox share the mail: none is lost, none is handed out twice', async () => {
    await using shared = await createSharedRoom(python, { limits: { rateLimit: NO_LIMIT } });
    await shared.room.join('alice');
    await shared.room.join('bob');
    const sent = new Set<string>();
    const handedOut = { library: [] as string[], python: [] as string[] };
    for (const id of await sendSome(shared, 10)) sent.add(id);
    const first = await shared.ask<PythonMail[]>('bob', 'drain', { ack: true, limit: 5 });
    handedOut.python.push(...first.map(({ message }) => message.id));
    // More is sent until each has had a good share; both read all the while.
    for (let round = 0; round < 40; round++) {
      for (const id of await sendSome(shared, 25)) sent.add(id);
      const asked = shared.ask<PythonMail[]>('bob', 'drain', { ack: true });
      handedOut.library.push(...(await readAndAcknowledge(shared)).map(({ id }) => id));
      handedOut.python.push(...(await asked).map(({ message }) => message.id));
      if (Math.min(handedOut.library.length, handedOut.python.length) >= GOOD_SHARE) break;
    }
    const all = [...handedOut.library, ...handedOut.python];
    console.log(`sent ${sent.size}, to the library ${handedOut.library.length}, to Python ${handedOut.python.length}`);
    expect(all.toSorted()).toEqual([...sent].sort());
    expect(shared.where('bob').sort()).toEqual([...sent].map((id) => `done/${id}.alice.json`).sort());
    expect(Math.min(handedOut.library.length, handedOut.python.length)).toBeGreaterThan(0);
  });

  test('copies that keep appearing are all dropped in the end, and every message was handed out', async () => {
    await using shared = await createSharedRoom(python, { limits: { rateLimit: NO_LIMIT } });
    await shared.room.join('alice');
    await shared.room.join('bob');
    const sent = await sendSome(shared, 100);
    const copies = sent.map((id) => {
      const name = `${id}.alice.json`;
      return { name, bytes: fs.readFileSync(shared.mailbox('bob', 'new', name)) };
    });
    const handedOut: string[] = [];
    let lost = 0;
    for (let round = 0; round < 6; round++) {
      const asked = shared.ask<PythonMail[]>('bob', 'drain', { ack: true });
      for await (const mail of shared.room.agent('bob').inbox({ wait: false })) {
        handedOut.push(mail.message.id);
        const copy = copies[handedOut.length % copies.length];
        if (copy) putBack(shared, copy);
        if ((await codeOf(() => mail.ack())) !== 'ok') lost += 1;
      }
      for (const mail of await asked) {
        handedOut.push(mail.message.id);
        if (mail.lost) lost += 1;
      }
      for (const copy of copies.slice(round * 10, (round + 3) * 10)) putBack(shared, copy);
    }
    await readAndAcknowledge(shared);
    console.log(`100 messages with copies: handed out ${handedOut.length} times, ${lost} leases lost`);
    expect(new Set(handedOut)).toEqual(new Set(sent));
    expect(shared.where('bob').sort()).toEqual(sent.map((id) => `done/${id}.alice.json`).sort());
  });

  test('as one sender they stay within one limit, however they race', async () => {
    // No grant is given up for being used late, however busy the machine is.
    const limits = { rateLimit: 40, rateWindowMs: 600_000, grantUseMsMax: 600_000, rateSegmentBytesMax: 1 };
    await using shared = await createSharedRoom(python, { limits });
    await shared.room.join('alice');
    await shared.room.join('bob');
    const draft = { to: 'bob', type: 'INFO', content: 'x' };
    const outcomes = { library: [] as string[], python: [] as string[] };
    const sendAll = async (who: 'library' | 'python', send: () => Promise<unknown>): Promise<void> => {
      while (outcomes[who].at(-1) !== 'RATE_LIMIT_EXCEEDED') outcomes[who].push(await codeOf(send));
    };
    await Promise.all([
      sendAll('library', () => shared.room.agent('alice').send(draft)),
      sendAll('python', () => shared.ask('alice', 'send', { draft: { ...draft, durable: false } })),
    ]);
    const sentBy = (who: 'library' | 'python'): number => outcomes[who].filter((one) => one === 'ok').length;
    console.log(`of 40: ${sentBy('library')} by the library, ${sentBy('python')} by Python`);
    expect(sentBy('library') + sentBy('python')).toBe(40);
    expect(shared.where('bob').length).toBe(40);
  });

  test('in turns, over many windows and generations of the counter, no window ever exceeds the limit', async () => {
    const limits = { rateLimit: 5, rateWindowMs: 1_000, rateSegmentBytesMax: 1 };
    await using shared = await createSharedRoom(python, { limits });
    await shared.room.join('alice');
    await shared.room.join('bob');
    const draft = { to: 'bob', type: 'INFO', content: 'x' };
    let nowMs = Date.now();
    // The time on a clock that nobody sets back.
    let trueMs = nowMs;
    const granted: number[] = [];
    const retryAt: (number | undefined)[] = [];
    // Each step moves the clock, sometimes back, and lets one of the two try, in an order without a pattern.
    for (let step = 0; step < 400; step++) {
      const passedMs = [0, 7, 130, 340][(step * 7) % 4] ?? 0;
      trueMs += passedMs;
      nowMs += step % 97 === 96 ? passedMs - 3_000 : passedMs;
      await shared.setClock(nowMs);
      try {
        if ((step * 31) % 5 < 2) await shared.room.agent('alice').send(draft);
        else await shared.ask('alice', 'send', { draft: { ...draft, durable: false } });
        granted.push(trueMs);
      } catch (error) {
        retryAt.push(retryAtOf(error));
      }
      if (step % 50 === 49) await shared.ask('bob', 'drain', { ack: true });
    }
    const counters = fs.readdirSync(`${shared.directory}/actors/alice`).filter((name) => /^rate\.\d+$/.test(name));
    console.log(`${granted.length} granted, ${retryAt.length} refused, counters left: ${counters.join(', ')}`);
    expect(retryAt.length).toBeGreaterThan(50);
    expect(granted.length).toBeGreaterThan(100);
    expect(retryAt.every((at) => at !== undefined)).toBe(true);
    const inWindowTo = (endMs: number): number => granted.filter((at) => at >= endMs - 1_000 && at <= endMs).length;
    expect(Math.max(...granted.map(inWindowTo))).toBe(5);
    expect(counters.length).toBeLessThanOrEqual(2);
    expect(Number(counters[0]?.slice('rate.'.length))).toBeGreaterThan(100);
  });
});

async function sendSome(shared: SharedRoom, count: number): Promise<string[]> {
  const draft = { to: 'bob', type: 'INFO', content: 'x' };
  const ids: string[] = [];
  for (let n = 0; n < count; n++) ids.push((await shared.room.agent('alice').send(draft)).id);
  return ids;
}

async function readAndAcknowledge(shared: SharedRoom) {
  const messages = [];
  for await (const mail of shared.room.agent('bob').inbox({ wait: false })) {
    await mail.ack();
    messages.push(mail.message);
  }
  return messages;
}

/** A sender that does not know whether a first attempt arrived links the same bytes again. */
function putBack(shared: SharedRoom, { name, bytes }: { name: string; bytes: Buffer }): void {
  const staged = shared.mailbox('bob', 'tmp', `copy-of-${name}`);
  fs.writeFileSync(staged, bytes);
  try {
    fs.linkSync(staged, shared.mailbox('bob', 'new', name));
  } catch {
    // It is already in new.
  }
  fs.unlinkSync(staged);
}

function retryAtOf(error: unknown): number | undefined {
  if (error instanceof PythonError) return error.code === 'RATE_LIMIT_EXCEEDED' ? error.retryAt : undefined;
  return (error as { retryAt?: number }).retryAt;
}
