import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { amount, choice } from '../run/amount.ts';
import { SEED } from '../run/seed.ts';
import { sail, SENDERS, type Sea } from './rough-sea.ts';

const TEST_TIMEOUT_MS = 200_000;

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-chaos-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

/** So many kills and stops in the long set, and a fifth of them in CI. */
function some(kills: number, stops: number): { readonly kills: number; readonly stops: number } {
  return {
    kills: amount(Math.ceil(kills / 5), { long: kills }),
    stops: amount(Math.ceil(stops / 5), { long: stops }),
  };
}

type Calm = Omit<Sea, 'directory'>;

const SEAS: readonly Calm[] = [
  { durability: 'process', messagesPerSender: amount(100, { long: 1_000 }), ...some(40, 16), lock: 'proper-lockfile' },
  { durability: 'process', messagesPerSender: amount(60, { long: 300 }), ...some(24, 8), lock: 'always-grants' },
  { durability: 'power', messagesPerSender: amount(10, { long: 40 }), ...some(10, 4), lock: 'proper-lockfile' },
  { durability: 'power', messagesPerSender: amount(10, { long: 40 }), ...some(10, 4), lock: 'always-grants' },
];

/** In CI one with each durability, each with another lock; the seed says which. */
const isChosen = ({ durability, lock }: Calm): boolean =>
  (durability === 'power') === ((lock === 'proper-lockfile') === (SEED % 2 === 0));

test.each(choice(SEAS, isChosen))(
  `what ${SENDERS} senders have confirmed arrives whole through kills and stops, once without the duplicates: $durability, $messagesPerSender each, $lock`,
  async (sea) => {
    const startedMs = Date.now();
    const voyage = await sail({ ...sea, directory });
    const plannedIds = new Map(voyage.planned.map(({ id, to }) => [id, to]));
    const confirmedIds = new Set(voyage.confirmed.map(({ id }) => id));
    const read = voyage.acted.filter(({ what }) => what !== 'lost');
    const readIds = new Set(read.map(({ id }) => id));
    const lost = voyage.acted.length - read.length;
    console.log(
      `${sea.durability}, ${sea.lock}: ${plannedIds.size} planned, ${confirmedIds.size} confirmed, ${readIds.size} arrived; ` +
        `${voyage.kills} kills, ${voyage.stops} stops; duplicates seen by readers: ${read.length - readIds.size}, ` +
        `leases lost: ${lost}, dead: ${voyage.dead.length}; ${((Date.now() - startedMs) / 1000).toFixed(1)} s`,
    );

    expect(voyage.failures).toEqual([]);
    expect([...confirmedIds].filter((id) => !readIds.has(id))).toEqual([]);
    expect(read.filter(({ what }) => what !== 'whole')).toEqual([]);
    // Nothing arrives that nobody sent, and nothing in another's mailbox.
    expect(read.filter(({ id, mailbox }) => plannedIds.get(id) !== mailbox)).toEqual([]);
    // Without the duplicates every message was acknowledged once, and nothing is left over.
    expect(new Set(voyage.done).size).toBe(readIds.size);
    expect(voyage.waiting).toEqual([]);
    expect(voyage.dead).toEqual([]);
    expect(voyage.stops).toBe(sea.stops);
  },
  TEST_TIMEOUT_MS,
);
