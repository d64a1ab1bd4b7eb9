import fs from 'node:fs';
import { expect, test } from 'vitest';
import { Conflict, MessageNotFound } from '../../src/errors.ts';
import { acknowledge, claimNew, reject, takeOver } from '../../src/mailbox/claim.ts';
import { listDead, refuse, retryDead } from '../../src/mailbox/dead.ts';
import { drain } from '../../src/mailbox/drain.ts';
import { dayOfId } from '../../src/message/message-id.ts';
import type { RefusalReason } from '../../src/message/message.ts';
import { scratchDirectories } from '../chain/scratch.ts';
import { LEASE_MS, MailboxSetUp, START_MS } from './mailbox-set-up.ts';

const scratch = scratchDirectories('dead');

test('dead letters are listed oldest first, then refused files, each with its reason', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  for (const content of ['first', 'second']) {
    const claim = await setUp.claimed({ content });
    reject(setUp.mailbox, { claim, detail: `not ${content}` });
  }
  fs.mkdirSync(`${setUp.mailbox.layout.new}/folder`);
  const refusal = { reason: 'bad-name', detail: 'no message' } as const;
  refuse(setUp.mailbox, { path: `${setUp.mailbox.layout.new}/folder`, name: 'folder', refusal });
  const listed = listDead(setUp.mailbox);
  expect(listed).toMatchObject([
    { reason: 'rejected', detail: 'not first', verified: true, at: new Date(START_MS).toISOString() },
    { reason: 'rejected', detail: 'not second', verified: true },
    { name: 'folder', reason: 'bad-name', verified: false },
  ]);
  for (const { path } of listed) expect(fs.existsSync(path)).toBe(true);
});

test('a letter whose reason is missing or invalid is listed anyway', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const claim = await setUp.claimed();
  reject(setUp.mailbox, { claim, detail: 'no' });
  const why = `${setUp.mailbox.layout.dead}/${claim.name}.why.json`;
  for (const text of ['{"reason":', '[]', 'null', undefined]) {
    if (text === undefined) fs.unlinkSync(why);
    else fs.writeFileSync(why, text);
    expect(listDead(setUp.mailbox)).toMatchObject([{ name: claim.name, reason: 'unknown', verified: true }]);
  }
});

test('a retried dead letter starts from its first attempt, and is handled like any other message', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const claim = await setUp.claimed();
  reject(setUp.mailbox, { claim, detail: 'no' });
  retryDead(setUp.mailbox, claim.name);
  expect(setUp.names('dead')).toEqual(['refused']);
  expect(setUp.names('cur')).toEqual([`${claim.name},0,0`]);
  const taken = takeOver(setUp.mailbox, { claim: { name: claim.name, attempt: 0, untilMs: 0 }, leaseMs: LEASE_MS });
  expect(taken).toMatchObject({ attempt: 1 });
  if (taken) acknowledge(setUp.mailbox, taken);
  expect(listDead(setUp.mailbox)).toEqual([]);
});

const PASSING = ['unreadable', 'unknown-key', 'bad-json', 'newer-version', 'wrong-room', 'from-the-future'] as const;

function refuseInNew(setUp: MailboxSetUp, name: string, reason: RefusalReason): string {
  refuse(setUp.mailbox, {
    path: `${setUp.mailbox.layout.new}/${name}`,
    name,
    refusal: { reason, detail: 'at that time' },
  });
  const letter = listDead(setUp.mailbox).find((one) => one.name === name);
  return letter?.path.split('/').at(-1) ?? '';
}

// Root cause: refused files could not be retried at all, whatever the reason: a key that was missing for a moment lost
// all mail.
test.each(PASSING)('what was refused as %s is judged anew, like mail that has just arrived', async (reason) => {
  const setUp = await MailboxSetUp.in(scratch());
  const [good, forged] = [setUp.letter({ content: 'good' }), setUp.letter()];
  setUp.lay(good, { new: true });
  setUp.lay({ ...forged, bytes: Buffer.from('forged') }, { new: true });
  const letters = [good.name, forged.name].map((name) => refuseInNew(setUp, name, reason));
  expect(listDead(setUp.mailbox)).toMatchObject([{ retryable: true }, { retryable: true }]);
  for (const letter of letters) retryDead(setUp.mailbox, letter);
  expect(setUp.names('refused')).toEqual([]);
  expect([...drain(setUp.mailbox, { leaseMs: LEASE_MS })]).toMatchObject([{ name: good.name, attempt: 1 }]);
  expect(setUp.refusals()).toEqual(['bad-frame']);
});

test('a refused message that was sent again and handled meanwhile is a duplicate, and handed out to nobody', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const sealed = setUp.letter();
  setUp.lay(sealed, { new: true });
  const letter = refuseInNew(setUp, sealed.name, 'unknown-key');
  setUp.lay(sealed, { done: true });
  retryDead(setUp.mailbox, letter);
  expect([...drain(setUp.mailbox, { leaseMs: LEASE_MS })]).toEqual([]);
  expect(setUp.events.map(({ kind }) => kind)).toEqual(['refused', 'duplicate']);
  expect([...setUp.names('cur'), ...setUp.names('refused')]).toEqual([]);
});

// Root cause: a take-over ignored purged days, so a message refused once could be handed out after it had been
// acknowledged and purged.
test('a refused message of a purged day stays where it is; if the day is purged after the retry, it is refused when claimed', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const sealed = setUp.letter();
  setUp.lay(sealed, { new: true });
  const letter = refuseInNew(setUp, sealed.name, 'unknown-key');
  const purgedThrough = `${dayOfId(sealed.message.id)}\n`;
  fs.writeFileSync(setUp.mailbox.layout.purgedThrough, purgedThrough);
  expect(() => retryDead(setUp.mailbox, letter)).toThrow(/everything up to \S+ was purged/);
  expect(setUp.names('refused')).toContain(letter);
  fs.unlinkSync(setUp.mailbox.layout.purgedThrough);
  retryDead(setUp.mailbox, letter);
  fs.writeFileSync(setUp.mailbox.layout.purgedThrough, purgedThrough);
  expect([...drain(setUp.mailbox, { leaseMs: LEASE_MS })]).toEqual([]);
  expect(setUp.refusals()).toEqual(['purged']);
});

test('a first claim that was given back is judged as new by the reader that takes it over', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const sealed = setUp.letter();
  setUp.lay(sealed, { cur: [0, 0] });
  fs.writeFileSync(setUp.mailbox.layout.purgedThrough, `${dayOfId(sealed.message.id)}\n`);
  expect([...drain(setUp.mailbox, { leaseMs: LEASE_MS })]).toEqual([]);
  expect(setUp.refusals()).toEqual(['purged']);
});

test('a file refused for its content, or that does not exist, cannot be retried', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const sealed = setUp.letter();
  expect(() => retryDead(setUp.mailbox, sealed.name)).toThrow(MessageNotFound);
  setUp.lay({ ...sealed, bytes: Buffer.from('forged') }, { new: true });
  expect(claimNew(setUp.mailbox, { name: sealed.name, leaseMs: LEASE_MS })).toBeUndefined();
  const [letter] = listDead(setUp.mailbox);
  expect(letter).toMatchObject({ reason: 'bad-frame', verified: false, retryable: false });
  expect(() => retryDead(setUp.mailbox, letter?.path.split('/').at(-1) ?? '')).toThrow(Conflict);
});
