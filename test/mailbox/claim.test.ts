import fs from 'node:fs';
import { expect, test } from 'vitest';
import { LeaseLost } from '../../src/errors.ts';
import {
  acknowledge,
  claimNew,
  isOpenToAll,
  openClaim,
  reject,
  release,
  renew,
  takeOver,
} from '../../src/mailbox/claim.ts';
import { dayOfId } from '../../src/message/message-id.ts';
import { scratchDirectories } from '../chain/scratch.ts';
import { DAY_MS, idAt, LEASE_MS, MailboxSetUp, START_MS } from './mailbox-set-up.ts';

const scratch = scratchDirectories('claim');

test('a claim is named after its attempt and the end of its lease, and nobody else gets the message', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const sealed = setUp.letter({ content: 'once' });
  await setUp.deliver(sealed);
  const claim = claimNew(setUp.mailbox, { name: sealed.name, leaseMs: LEASE_MS });
  expect(claim).toMatchObject({
    attempt: 1,
    untilMs: START_MS + LEASE_MS,
    message: { content: 'once', from: 'alice' },
  });
  expect(setUp.names('cur')).toEqual([`${sealed.name},1,${START_MS + LEASE_MS}`]);
  expect(claimNew(setUp.seenBy(), { name: sealed.name, leaseMs: LEASE_MS })).toBeUndefined();
});

test('a claim is open to all once its lease ends, when it was released, and when it ends later than any lease can', async () => {
  const { mailbox } = await MailboxSetUp.in(scratch());
  const isOpen = (untilMs: number): boolean => isOpenToAll(mailbox, { name: 'any', attempt: 1, untilMs });
  const { leaseMsMax } = mailbox.limits;
  expect([0, START_MS - 1, START_MS, START_MS + 1].map(isOpen)).toEqual([true, true, true, false]);
  expect([START_MS + leaseMsMax, START_MS + leaseMsMax + 1].map(isOpen)).toEqual([false, true]);
});

test('a reader that takes a claim over is its holder, and the former holder has lost it for every operation', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const claim = await setUp.claimed();
  setUp.clock.pass(LEASE_MS);
  const taken = takeOver(setUp.seenBy(), { claim, leaseMs: LEASE_MS });
  expect(taken).toMatchObject({ attempt: 2, untilMs: START_MS + 2 * LEASE_MS });
  const { mailbox } = setUp;
  for (const verb of [
    () => acknowledge(mailbox, claim),
    () => release(mailbox, claim),
    () => renew(mailbox, { claim, leaseMs: LEASE_MS }),
    () => reject(mailbox, { claim, detail: 'no' }),
  ]) {
    expect(verb).toThrow(LeaseLost);
  }
  expect(takeOver(mailbox, { claim, leaseMs: LEASE_MS })).toBeUndefined();
  expect(setUp.names('cur')).toEqual([`${claim.name},2,${START_MS + 2 * LEASE_MS}`]);
  expect(setUp.names('dead')).toEqual(['refused']);
});

test('renewing makes a lease end later, counted from now, and never earlier', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const claim = await setUp.claimed();
  setUp.clock.pass(1_000);
  const longer = renew(setUp.mailbox, { claim, leaseMs: LEASE_MS });
  expect(longer.untilMs).toBe(START_MS + 1_000 + LEASE_MS);
  const stillLonger = renew(setUp.mailbox, { claim: longer, leaseMs: 1 });
  expect(stillLonger.untilMs).toBeGreaterThan(longer.untilMs);
  expect(() => acknowledge(setUp.mailbox, claim)).toThrow(LeaseLost);
  acknowledge(setUp.mailbox, stillLonger);
});

test('a released claim can be taken over at once, as the next attempt', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const claim = await setUp.claimed();
  release(setUp.mailbox, claim);
  expect(setUp.names('cur')).toEqual([`${claim.name},1,0`]);
  expect(() => release(setUp.mailbox, claim)).toThrow(LeaseLost);
  const taken = takeOver(setUp.mailbox, { claim: { ...claim, untilMs: 0 }, leaseMs: LEASE_MS });
  expect(taken).toMatchObject({ attempt: 2 });
});

test('an acknowledged message is under the day of its id, even if that day was removed meanwhile', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const first = await setUp.claimed();
  const second = await setUp.claimed();
  const day = dayOfId(first.message.id);
  acknowledge(setUp.mailbox, first);
  expect(setUp.names('done', day)).toEqual([first.name]);
  fs.rmSync(`${setUp.mailbox.layout.done}/${day}`, { recursive: true });
  acknowledge(setUp.mailbox, second);
  expect(setUp.names('done', day)).toEqual([second.name]);
  expect(() => acknowledge(setUp.mailbox, second)).toThrow(LeaseLost);
});

test('a message is given up after the last attempt, not before', async () => {
  const setUp = await MailboxSetUp.in(scratch(), { attemptsMax: 3 });
  let claim = await setUp.claimed();
  for (const attempt of [2, 3]) {
    setUp.clock.pass(LEASE_MS);
    claim = takeOver(setUp.mailbox, { claim, leaseMs: LEASE_MS }) ?? claim;
    expect(claim.attempt).toBe(attempt);
  }
  setUp.clock.pass(LEASE_MS);
  expect(takeOver(setUp.mailbox, { claim, leaseMs: LEASE_MS })).toBeUndefined();
  expect(setUp.names('dead')).toEqual([claim.name, `${claim.name}.why.json`, 'refused']);
  expect(setUp.names('cur')).toEqual([]);
  expect(setUp.events).toMatchObject([{ kind: 'dead', reason: { reason: 'attempts' } }]);
});

test('an expired message is a dead letter, and one that expires later is not', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const expired = setUp.letter({ expiresAtMs: START_MS });
  const fresh = setUp.letter({ expiresAtMs: START_MS + 1 });
  for (const sealed of [expired, fresh]) {
    await setUp.deliver(sealed);
    claimNew(setUp.mailbox, { name: sealed.name, leaseMs: LEASE_MS });
  }
  expect(setUp.names('dead')[0]).toBe(expired.name);
  expect(setUp.names('cur')).toEqual([`${fresh.name},1,${START_MS + LEASE_MS}`]);
  expect(setUp.events).toMatchObject([{ kind: 'dead', reason: { reason: 'expired' } }]);
});

test.each([
  { place: 'acknowledged', where: { done: true } },
  { place: 'claimed by somebody', where: { cur: [1, START_MS + 1] } },
  { place: 'taken over', where: { cur: [2, START_MS + 2 * DAY_MS] } },
  { place: 'put back', where: { cur: [0, 0] } },
] as const)('a copy of what was $place is dropped, and the other stays', async ({ where }) => {
  const setUp = await MailboxSetUp.in(scratch());
  const sealed = setUp.letter();
  setUp.lay(sealed, where);
  const before = [setUp.names('cur'), setUp.names('done', dayOfId(sealed.message.id))];
  setUp.lay(sealed, { new: true });
  expect(claimNew(setUp.mailbox, { name: sealed.name, leaseMs: LEASE_MS })).toBeUndefined();
  expect([setUp.names('cur'), setUp.names('done', dayOfId(sealed.message.id))]).toEqual(before);
  expect(setUp.names('new')).toEqual([]);
  expect(setUp.events).toMatchObject([{ kind: 'duplicate', message: { id: sealed.message.id } }]);
});

test('a message under the id of another one is refused, and the other stays', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const id = idAt(START_MS);
  const first = setUp.letter({ id, content: 'first' });
  setUp.lay(first, { done: true });
  setUp.lay(setUp.letter({ id, content: 'second' }), { new: true });
  expect(claimNew(setUp.mailbox, { name: first.name, leaseMs: LEASE_MS })).toBeUndefined();
  expect(setUp.refusals()).toEqual(['duplicate-differs']);
  expect(setUp.names('done', dayOfId(id))).toEqual([first.name]);
  expect(setUp.names('cur')).toEqual([]);
});

test('a file that does not verify is refused with its reason, from new and from cur', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const sealed = setUp.letter();
  const forged = { ...sealed, bytes: Buffer.from(sealed.bytes.toString().replace('hello', 'hallo')) };
  setUp.lay(forged, { new: true });
  expect(claimNew(setUp.mailbox, { name: sealed.name, leaseMs: LEASE_MS })).toBeUndefined();
  setUp.lay(forged, { cur: [1, 0] });
  const claim = { name: sealed.name, attempt: 1, untilMs: 0 };
  expect(takeOver(setUp.mailbox, { claim, leaseMs: LEASE_MS })).toBeUndefined();
  setUp.lay(forged, { cur: [1, START_MS + 1] });
  expect(openClaim(setUp.mailbox, `${sealed.name},1,${START_MS + 1}`)).toBeUndefined();
  expect(setUp.refusals()).toEqual(['bad-signature', 'bad-signature', 'bad-signature']);
  expect([setUp.names('new'), setUp.names('cur')]).toEqual([[], []]);
});

test('a rejected message is a dead letter with the reason of its holder', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const claim = await setUp.claimed();
  reject(setUp.mailbox, { claim, detail: 'no such branch' });
  const why = fs.readFileSync(`${setUp.mailbox.layout.dead}/${claim.name}.why.json`, 'utf8');
  expect(JSON.parse(why)).toEqual({
    name: claim.name,
    reason: 'rejected',
    detail: 'no such branch',
    at: new Date(START_MS).toISOString(),
  });
  expect(() => acknowledge(setUp.mailbox, claim)).toThrow(LeaseLost);
});
