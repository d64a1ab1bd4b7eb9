import { expect, test } from 'vitest';
import { acknowledge, reject, release } from '../../src/mailbox/claim.ts';
import { peek, statusIn } from '../../src/mailbox/status.ts';
import { scratchDirectories } from '../chain/scratch.ts';
import { idAt, LEASE_MS, MailboxSetUp, START_MS } from './mailbox-set-up.ts';

const scratch = scratchDirectories('status');

test('the status of a message is where it is', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const { mailbox } = setUp;
  const stateOf = (id: string): unknown => statusIn(mailbox, { idEnding: id, history: true }).map(({ state }) => state);
  const waiting = setUp.letter();
  await setUp.deliver(waiting);
  const [claimed, released, done, dead] = [
    await setUp.claimed(),
    await setUp.claimed(),
    await setUp.claimed(),
    await setUp.claimed(),
  ];
  release(mailbox, released);
  acknowledge(mailbox, done);
  reject(mailbox, { claim: dead, detail: 'no' });
  expect(stateOf(waiting.message.id)).toEqual(['delivered']);
  expect(statusIn(mailbox, { idEnding: claimed.message.id, history: true })).toMatchObject([
    { state: 'claimed', attempt: 1, untilMs: START_MS + LEASE_MS, recipient: 'bob', from: 'alice' },
  ]);
  expect(stateOf(released.message.id)).toEqual(['released']);
  expect(stateOf(done.message.id)).toEqual(['acknowledged']);
  expect(statusIn(mailbox, { idEnding: dead.message.id, history: true })).toMatchObject([
    { state: 'dead', reason: 'rejected', detail: 'no' },
  ]);
  setUp.clock.pass(LEASE_MS);
  expect(stateOf(claimed.message.id), 'its lease has ended').toEqual(['released']);
  expect(stateOf(idAt(START_MS, 999))).toEqual([]);
});

// Root cause: a claim whose lease ended later than any can was claimed to one of them, and released to the other.
test('the status of a message and the list of the inbox agree on a claim, whenever its lease ends', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const { leaseMsMax } = setUp.mailbox.limits;
  const ends = [0, 1, START_MS, START_MS + 1, START_MS + leaseMsMax, START_MS + leaseMsMax + 1, 999_999_999_999_999];
  for (const untilMs of ends) setUp.lay(setUp.letter(), { cur: [1, untilMs] });
  const { unsettled } = peek(setUp.mailbox, { limit: Infinity });
  const facts = unsettled.map(({ message, state, attempt, untilMs }) => ({ id: message.id, state, attempt, untilMs }));
  expect(facts.map(({ state }) => state)).toEqual([
    'released',
    'released',
    'released',
    'claimed',
    'claimed',
    'released',
    'released',
  ]);
  for (const { id, ...lies } of facts) {
    expect(statusIn(setUp.mailbox, { idEnding: id, history: true })).toMatchObject([lies]);
  }
});

test('every message with this id ending is found', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  for (const n of [0x1abcd, 0x2abcd, 0x3abce]) await setUp.deliver(setUp.letter({ id: idAt(START_MS, n) }));
  expect(statusIn(setUp.mailbox, { idEnding: 'abcd', history: true })).toHaveLength(2);
  expect(statusIn(setUp.mailbox, { idEnding: '2abcd', history: true })).toHaveLength(1);
});
