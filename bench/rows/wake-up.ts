import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeRoom } from '../bench-room.ts';
import { interleave, median, quantile } from '../measure.ts';
import { startOtherProcess, type OtherProcess, type Stamps } from '../other-process.ts';
import {
  closePlainFiles,
  makePlainMailbox,
  openPlainFiles,
  takePlainly,
  type PlainMailbox,
} from '../peers/plain-files.ts';
import { compare, isMet, type Bench, type Outcome, type Result, type Row } from '../row.ts';
import { bySize } from '../size.ts';

const GAP_MS = 5;
const MISSING_MS_MAX = 10_000;
const BLOCKED_MS = 2_000;
const P99_MS_MAX = 5;

/** How long after a link in one process another has the message in hand, and whether a flood loses any. */
export const wakeUpRow: Row = {
  name: 'wake-up',
  run: async (bench): Promise<Outcome[]> => {
    const other = await startOtherProcess(bench.dist);
    try {
      return [...(await measureWakeUps(bench, other)), await measureBurst(bench, other)];
    } finally {
      other.end();
    }
  },
};

async function measureWakeUps(bench: Bench, other: OtherProcess): Promise<Result[]> {
  const count = bySize(bench, { full: 200, quick: 100, smoke: 3 });
  const all: number[] = [];
  const samples = await interleave(
    {
      event: async () => median(await eventDelays(bench, other, { count, look: () => {} })),
      callsOnly: async () => {
        const files = openPlainFiles(bench.freshDirectory());
        const look: Look = (mailbox) => {
          for (const name of fs.readdirSync(mailbox.new)) takePlainly(mailbox, files, name);
        };
        const delays = await eventDelays(bench, other, { count, look });
        closePlainFiles(files);
        return median(delays);
      },
      ours: async () => {
        const delays = await messageDelays(bench, other, count);
        all.push(...delays);
        return median(delays);
      },
    },
    bySize(bench, {
      full: { counted: 9, warmUp: 1 },
      quick: { counted: 5, warmUp: 1 },
      smoke: { counted: 1, warmUp: 0 },
    }),
  );
  const work = 'wake-up: link in one process → message in hand in another';
  const p50 = compare({
    work: `${work}, p50`,
    floor: 'raw fs.watch event',
    samples: samples.ours,
    floorSamples: samples.event,
    goal: { most: 4, unit: '×' },
  });
  const callsOnly = compare({
    work: 'the same event, then the system calls of such a receive, nothing else, p50',
    floor: 'raw fs.watch event',
    samples: samples.callsOnly,
    floorSamples: samples.event,
  });
  const p99Ms = quantile(all, 0.99) / 1e6;
  const goal = { most: P99_MS_MAX, unit: 'ms' } as const;
  const p99: Result = {
    work: `${work}, p99`,
    floor: '',
    workUs: p99Ms * 1_000,
    value: p99Ms,
    goal,
    met: isMet(p99Ms, goal),
    rounds: p50.rounds,
    note: `${all.length} messages`,
  };
  return [p50, callsOnly, p99];
}

/** What is done at an event, before the time is taken. */
type Look = (mailbox: PlainMailbox) => void;

async function eventDelays(
  bench: Bench,
  other: OtherProcess,
  { count, look }: { count: number; look: Look },
): Promise<number[]> {
  const mailbox = makePlainMailbox(bench.freshDirectory());
  const seen = new Map<string, number>();
  const watcher = fs.watch(mailbox.new, (_event, name) => {
    if (name === null || seen.has(name)) return;
    look(mailbox);
    seen.set(name, Number(process.hrtime.bigint()));
  });
  const stamps = await other.ask({ kind: 'files', directory: path.dirname(mailbox.new), count, gapMs: GAP_MS });
  await complete(() => seen.size === count, `${count} events`);
  watcher.close();
  return delaysOf(stamps, seen);
}

async function messageDelays(bench: Bench, other: OtherProcess, count: number): Promise<number[]> {
  const room = await makeRoom(bench, { addresses: ['alice', 'bob'] });
  const bob = room.agents[1];
  if (!bob) throw new Error('nobody is there to read');
  const seen = new Map<string, number>();
  const ending = new AbortController();
  const reading = (async () => {
    for await (const mail of bob.inbox({ signal: ending.signal })) {
      seen.set(`${mail.message.id}.alice.json`, Number(process.hrtime.bigint()));
      await mail.ack();
    }
  })();
  const stamps = await other.ask({ kind: 'messages', directory: room.directory, count, gapMs: GAP_MS });
  await complete(() => seen.size === count, `${count} messages`);
  ending.abort();
  await reading;
  await room.close();
  // Whatever else the sender links, such as a file of its counter, was seen by nobody.
  return delaysOf(new Map([...stamps].filter(([name]) => seen.has(name))), seen);
}

function delaysOf(stamps: Stamps, seen: Stamps): number[] {
  return [...stamps].map(([name, madeNs]) => (seen.get(name) ?? Number.NaN) - madeNs);
}

/** Everything that is sent while the reader's event loop stands still has to arrive all the same. */
async function measureBurst(bench: Bench, other: OtherProcess): Promise<Result> {
  const count = bySize(bench, { full: 40_000, quick: 4_000, smoke: 50 });
  const room = await makeRoom(bench, { addresses: ['alice', 'bob'] });
  const bob = room.agents[1];
  if (!bob) throw new Error('nobody is there to read');
  const seen = new Set<string>();
  const ending = new AbortController();
  const startNs = process.hrtime.bigint();
  const reading = (async () => {
    for await (const mail of bob.inbox({ signal: ending.signal })) {
      seen.add(mail.message.id);
      await mail.ack();
    }
  })();
  const started = other.started();
  const sent = other.ask({ kind: 'messages', directory: room.directory, count, gapMs: 0 });
  await started;
  standStill(bySize(bench, { full: BLOCKED_MS, quick: BLOCKED_MS, smoke: 100 }));
  await sent;
  await complete(() => seen.size === count, `${count} messages`).catch(() => {});
  const us = Number(process.hrtime.bigint() - startNs) / 1_000 / count;
  ending.abort();
  await reading;
  await room.close();
  const lost = count - seen.size;
  const goal = { most: 0, unit: 'lost' } as const;
  return {
    work: `burst of ${count.toLocaleString('en')} from another process, the reader's loop blocked for 2 s`,
    floor: '',
    workUs: us,
    value: lost,
    goal,
    met: isMet(lost, goal),
    rounds: 1,
  };
}

function standStill(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
}

/** Waits for what must come, as long as some of it still does. */
async function complete(isComplete: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + MISSING_MS_MAX;
  while (!isComplete()) {
    if (performance.now() > endMs) throw new Error(`${what} did not arrive within ${MISSING_MS_MAX} ms`);
    await sleep(5);
  }
}
