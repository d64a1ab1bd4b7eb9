import fs from 'node:fs';
import { expect, test } from 'vitest';
import { Conflict, MessageNotFound } from '../../src/errors.ts';
import { acknowledge, claimNew, reject, takeOver } from '../../src/mailbox/claim.ts';
import { listDead, refuse, retryDead } from '../../src/mailbox/dead.ts';
import { scratchDirectories } from '../chain/scratch.ts';
import { LEASE_MS, MailboxSetUp, START_MS } from './mailbox-set-up.ts';

const scratch = scratchDirectories('dead');

test('dead letters are listed oldest first, then what was refused, each with its reason', async () => {
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

test('a letter whose reason is gone or no reason is listed all the same', async () => {
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

test('a dead letter that is tried again starts from its first attempt, and is dealt with like any other', async () => {
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

test('what was refused or is not there cannot be tried again', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const sealed = setUp.letter();
  expect(() => retryDead(setUp.mailbox, sealed.name)).toThrow(MessageNotFound);
  setUp.lay({ ...sealed, bytes: Buffer.from('forged') }, { new: true });
  expect(claimNew(setUp.mailbox, { name: sealed.name, leaseMs: LEASE_MS })).toBeUndefined();
  const [letter] = listDead(setUp.mailbox);
  expect(letter).toMatchObject({ reason: 'bad-frame', verified: false });
  expect(() => retryDead(setUp.mailbox, letter?.path.split('/').at(-1) ?? '')).toThrow(Conflict);
});
