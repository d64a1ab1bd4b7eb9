import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { until } from '../hostile/until.ts';
import { openPair } from './pair.ts';

const FLOOD = path.join(import.meta.dirname, '..', '..', 'fixtures', 'chaos', 'flood.mjs');
const FLOODERS = ['flood-1', 'flood-2'];
const BLOCKED_MS = 2_000;

export interface Burst {
  readonly arrived: number;
  readonly duplicates: number;
  /** How many were in `new` when the reader's blocked loop continued. */
  readonly waiting: number;
}

/** Two processes deliver this many messages to a waiting reader whose event loop is blocked for the first 2 s. */
export async function flood(messages: number): Promise<Burst> {
  await using pair = await openPair({ limits: { newMessagesMax: 2 * messages }, senders: FLOODERS });
  const { directory, bob } = pair;
  const go = path.join(directory, 'go');
  const ending = new AbortController();
  const seen = new Set<string>();
  let duplicates = 0;
  const reading = (async () => {
    for await (const mail of bob.inbox({ signal: ending.signal })) {
      if (seen.has(mail.message.id)) duplicates += 1;
      seen.add(mail.message.id);
      await mail.ack();
      // Lets hints in while the mailbox is drained, as they would be if there were work to do.
      if (seen.size % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const children = FLOODERS.map((from) => {
    const ready = path.join(directory, `ready-${from}`);
    const options = { room: directory, from, to: 'bob', count: messages / FLOODERS.length, ready, go };
    const child = spawn(process.execPath, [FLOOD, JSON.stringify(options)], { stdio: ['ignore', 'ignore', 'inherit'] });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    return { child, ready, ended };
  });
  try {
    await until('the senders are ready', () => children.every(({ ready }) => fs.existsSync(ready)));
    fs.writeFileSync(go, '');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCKED_MS);
    const waiting = fs.readdirSync(path.join(directory, 'actors', 'bob', 'mailbox', 'new')).length;
    expect(await Promise.all(children.map(({ ended }) => ended))).toEqual(FLOODERS.map(() => 0));
    await untilIdle(() => seen.size, messages);
    ending.abort();
    await reading;
    return { arrived: seen.size, duplicates, waiting };
  } finally {
    ending.abort();
    for (const { child } of children) child.kill('SIGKILL');
  }
}

/** Ends only a reader that makes no progress for so long: how long a busy machine takes for all of it is unknown. */
const IDLE_MS_MAX = 30_000;

/** Waits until the count is reached, or stops growing. */
async function untilIdle(count: () => number, enough: number): Promise<void> {
  let last = count();
  let idleSinceMs = Date.now();
  while (last < enough && Date.now() - idleSinceMs < IDLE_MS_MAX) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (count() > last) idleSinceMs = Date.now();
    last = count();
  }
}
