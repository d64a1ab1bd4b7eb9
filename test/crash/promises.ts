import { expect } from 'vitest';
import type { Clock } from '../../src/host/host.ts';
import { openRoom, type Room } from '../../src/room/room.ts';
import { sweep } from '../../src/mailbox/sweep.ts';
import { operations } from '../../fixtures/crash/operations.ts';
import { filesBelow, healthyHost, look, mailboxesOf, type Copy } from './look.ts';
import { DEAD, lib } from './prepared.ts';
import type { Scenario, Where } from './scenario.ts';

/** Longer than any lease that the operations take, and than anything may lie in `tmp`. */
const LATER_MS = 2 * 3_600_000;
const OTHERS = ['other', 'behind'];

/** How an operation ended, as its user saw it. */
export interface Seen {
  readonly directory: string;
  /** It reported success. */
  readonly hasSucceeded: boolean;
  /** Where the subject lies by what was reported of a recipient; undefined when nothing was. */
  readonly liesIn?: (recipient: string) => readonly Where[] | undefined;
  /** Nothing was killed, so the repetition finds nothing under a dead process's lease. */
  readonly isAlive?: boolean;
}

/** Checks that a healthy process can do the operation again, and that then all mail comes, once. */
export async function expectRepeatable(scenario: Scenario, seen: Seen): Promise<void> {
  const keysBefore = filesBelow(`${seen.directory}/keys`);
  await repeat(scenario, seen.directory);
  expect(filesBelow(`${seen.directory}/keys`), 'the keys are those from before').toMatchObject(keysBefore);
  await expectRepeated(scenario, seen);
  await expectAllArrives(scenario, seen);
}

/** What was reported is so, and of the rest every message lies whole in one place where it may lie. */
export async function expectTrueOutcome(scenario: Scenario, seen: Seen): Promise<void> {
  const { directory, hasSucceeded, liesIn } = seen;
  const { subject } = scenario;
  if (hasRoom(directory)) {
    const copies = await look(directory);
    if (!subject?.hasCopy) expectSingle(copies);
    for (const recipient of subject ? (subject.recipients ?? ['bob']) : []) {
      const where = placesOf(copies, recipient, 'subject');
      const { from, to, between = [] } = subject as NonNullable<typeof subject>;
      const allowed = hasSucceeded ? [to] : (liesIn?.(recipient) ?? [from, ...between, to]);
      for (const place of where.length === 0 ? (['nowhere'] as const) : where) {
        if (subject?.hasCopy && place !== to) continue;
        expect(allowed, `the subject lies in ${place} of ${recipient}`).toContain(place);
      }
    }
  } else {
    expect(scenario.operation, 'the room is gone').toBe('init');
    expect(hasSucceeded, 'init reported success').toBe(false);
  }
  const isPartial = seen.isAlive === true && scenario.operation === 'read';
  if (hasRoom(directory)) {
    await scenario.check?.({ directory, hasSucceeded: hasSucceeded && !isPartial, phase: 'cut off' });
  }
}

/** Does the operation again as a user would, in a process to which nothing happens. */
async function repeat(scenario: Scenario, directory: string): Promise<void> {
  const { operation, args = {} } = scenario;
  await operations[operation]({ lib, host: healthyHost, directory, args, arm: () => {}, report: () => {} });
}

async function expectRepeated(scenario: Scenario, { directory, isAlive }: Seen): Promise<void> {
  const { subject } = scenario;
  const copies = await look(directory);
  if (!subject?.hasCopy) expectSingle(copies);
  for (const recipient of subject ? (subject.recipients ?? ['bob']) : []) {
    const where = placesOf(copies, recipient, 'subject');
    expect(
      [subject?.to, ...(isAlive && !subject?.hasCopy ? [] : (subject?.between ?? []))],
      `repeated, it lies in ${where.join(' and ')}`,
    ).toEqual(expect.arrayContaining(where));
    const atMost = subject?.isNewEachTime || subject?.hasCopy ? 2 : 1;
    expect(where.length, 'it is there once').toBeGreaterThanOrEqual(1);
    expect(where.length, 'it is there once').toBeLessThanOrEqual(atMost);
  }
  await scenario.check?.({ directory, hasSucceeded: true, phase: 'repeated' });
}

/** Reads everybody's mail after all leases have ended: what was delivered comes out, once, with what was sent since. */
async function expectAllArrives(scenario: Scenario, { directory }: Seen): Promise<void> {
  const { subject } = scenario;
  {
    await using room = await openRoom({ directory, host: healthyHost, durability: 'process' });
    for (const address of ['bob', 'carol']) {
      if (!room.actors().some(({ card }) => card.address === address)) await room.join(address, { process: DEAD });
    }
    await room.agent('carol').send({ to: 'bob', type: 'INFO', content: 'behind' });
  }
  const before = await look(directory);
  const read = await readEverything(directory);
  for (const [key, count] of read) expect(count, `${key} came more than once`).toBe(1);
  const after = await look(directory);
  expectSingle(after);
  const unread = after.filter(({ state }) => state !== 'done' && state !== 'dead');
  expect(unread, 'some mail did not come').toEqual([]);
  for (const { recipient, id, state, content } of before) {
    const isKnownElsewhere = before.some((one) => one.id === id && one.recipient === recipient && one.state === 'done');
    if (OTHERS.includes(content) && state !== 'done') expect(read.get(`${recipient} ${id}`), content).toBe(1);
    if (content !== 'subject') continue;
    const isToCome = state !== 'done' && subject?.to !== 'dead' && !isKnownElsewhere;
    expect(read.get(`${recipient} ${id}`) ?? 0, 'how often the subject came').toBe(isToCome ? 1 : 0);
  }
  for (const copy of before) {
    const kept = after.some(({ recipient, id }) => recipient === copy.recipient && id === copy.id);
    if (copy.content !== 'impostor') expect(kept, `${copy.content} to ${copy.recipient} is gone`).toBe(true);
  }
  await scenario.check?.({ directory, hasSucceeded: true, phase: 'drained' });
}

/** Acknowledges all mail of everybody; how often each message came, by recipient and id. Nothing is left in `tmp`. */
async function readEverything(directory: string): Promise<Map<string, number>> {
  const clock: Clock = { ...healthyHost.clock, now: () => healthyHost.clock.now() + LATER_MS };
  await using room = await openRoom({ directory, host: { ...healthyHost, clock } });
  const read = new Map<string, number>();
  for (const mailbox of mailboxesOf(room)) {
    for await (const mail of readerOf(room, mailbox.address)) {
      const key = `${mailbox.address} ${mail.message.id}`;
      read.set(key, (read.get(key) ?? 0) + 1);
      await mail.ack();
    }
    sweep(mailbox);
    expect(healthyHost.files.readdir(mailbox.layout.tmp), 'nothing stays in tmp').toEqual([]);
  }
  return read;
}

function readerOf(room: Room, address: string) {
  return room.agent(address).inbox({ wait: false });
}

function hasRoom(directory: string): boolean {
  return healthyHost.files.lstat(`${directory}/room.json`) !== undefined;
}

function expectSingle(copies: readonly Copy[]): void {
  const seen = new Set<string>();
  for (const { recipient, id, content, state } of copies) {
    if (content === 'impostor') continue;
    expect(seen.has(`${recipient} ${id}`), `${content} lies twice in ${recipient}'s mailbox, also in ${state}`).toBe(
      false,
    );
    seen.add(`${recipient} ${id}`);
  }
}

function placesOf(copies: readonly Copy[], recipient: string, content: string): Where[] {
  return copies.filter((copy) => copy.recipient === recipient && copy.content === content).map(({ state }) => state);
}
