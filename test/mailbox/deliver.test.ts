import fs from 'node:fs';
import { expect, test } from 'vitest';
import type { FileSystem } from '../../src/host/file-system.ts';
import { nodeFileSystem } from '../../src/host/node-file-system.ts';
import { acknowledge, claimNew, reject } from '../../src/mailbox/claim.ts';
import { scratchDirectories } from '../chain/scratch.ts';
import { countCalls, systemError } from '../faults/faulty-files.ts';
import { idAt, LEASE_MS, MailboxSetUp, START_MS } from './mailbox-set-up.ts';

const scratch = scratchDirectories('deliver');
const DELIVERED = { outcome: 'delivered', again: false };
const AGAIN = { outcome: 'delivered', again: true };

test('a delivered message is in new with exactly the signed bytes, read-only, and nothing stays in tmp', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const sealed = setUp.letter();
  expect(await setUp.deliver(sealed)).toEqual(DELIVERED);
  const file = `${setUp.mailbox.layout.new}/${sealed.name}`;
  expect(fs.readFileSync(file).equals(sealed.bytes)).toBe(true);
  expect(fs.statSync(file).mode & 0o777).toBe(0o400);
  expect(setUp.names('tmp')).toEqual([]);
});

test('a message sent again is delivered once, wherever it is by then', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const sealed = setUp.letter();
  const again = () => setUp.deliver(sealed, { mailbox: setUp.seenBy(), repeat: true });
  expect(await again()).toEqual(DELIVERED);
  expect(await again()).toEqual(AGAIN);
  const claim = claimNew(setUp.mailbox, { name: sealed.name, leaseMs: LEASE_MS });
  expect(await again()).toEqual(AGAIN);
  if (claim) acknowledge(setUp.mailbox, claim);
  expect(await again()).toEqual(AGAIN);
  const dead = await setUp.claimed({ content: 'dead' });
  reject(setUp.mailbox, { claim: dead, detail: 'no' });
  const { message, signed } = dead;
  const bytes = fs.readFileSync(`${setUp.mailbox.layout.dead}/${dead.name}`);
  expect(await setUp.deliver({ message, name: dead.name, bytes, signed }, { repeat: true })).toEqual(AGAIN);
  expect([setUp.names('new'), setUp.names('cur')]).toEqual([[], []]);
});

test('another message under the same id is a conflict, wherever the first one is', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const id = idAt(START_MS);
  const other = setUp.letter({ id, content: 'other' });
  const conflict = { outcome: 'failed', error: { code: 'CONFLICT' } };
  const first = setUp.letter({ id, content: 'first' });
  await setUp.deliver(first);
  expect(await setUp.deliver(other, { repeat: true })).toMatchObject(conflict);
  expect(await setUp.deliver(other)).toMatchObject(conflict);
  const claim = claimNew(setUp.mailbox, { name: first.name, leaseMs: LEASE_MS });
  expect(await setUp.deliver(other, { repeat: true })).toMatchObject(conflict);
  if (claim) acknowledge(setUp.mailbox, claim);
  expect(await setUp.deliver(other, { repeat: true })).toMatchObject(conflict);
  expect(setUp.names('tmp')).toEqual([]);
});

test('a file that has the name of a message but is not one is moved aside', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const sealed = setUp.letter();
  const squatter = `${setUp.mailbox.layout.new}/${sealed.name}`;
  fs.mkdirSync(squatter);
  expect(await setUp.deliver(sealed)).toEqual(DELIVERED);
  expect(fs.readFileSync(squatter).equals(sealed.bytes)).toBe(true);
  expect(setUp.names('refused')).toHaveLength(2);
});

test('with durability power the file is synced before its link and the directory after it, with process neither', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const stepsOf = async (durability: 'power' | 'process'): Promise<string[]> => {
    const counted = countCalls(nodeFileSystem);
    await setUp.deliver(setUp.letter(), { mailbox: setUp.seenBy({ files: counted.files }), durability });
    const { tmp, new: arrived } = setUp.mailbox.layout;
    const shown = counted.steps.map((step) => step.replace(tmp, 'tmp').replace(arrived, 'new').replace(/\/.*/, '/…'));
    return shown.filter((step) => /^(?:open|write|fsync|link|unlink) /.test(step));
  };
  expect(await stepsOf('process')).toEqual(['open tmp/…', 'write tmp/…', 'link tmp/…', 'unlink tmp/…']);
  expect(await stepsOf('power')).toEqual([
    'open tmp/…',
    'write tmp/…',
    'fsync tmp/…',
    'link tmp/…',
    'open new',
    'fsync new',
    'unlink tmp/…',
  ]);
});

test('a staged file that is swept before its link is written again', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  let sweeps = 2;
  const files: FileSystem = {
    ...nodeFileSystem,
    link: (staged, target) => {
      if (sweeps-- > 0) nodeFileSystem.unlink(staged);
      nodeFileSystem.link(staged, target);
    },
  };
  expect(await setUp.deliver(setUp.letter(), { mailbox: setUp.seenBy({ files }) })).toEqual(DELIVERED);
  sweeps = 3;
  const failed = await setUp.deliver(setUp.letter(), { mailbox: setUp.seenBy({ files }) });
  expect(failed).toMatchObject({ outcome: 'failed', error: { code: 'MESSAGE_DELIVERY' } });
  expect(setUp.names('new')).toHaveLength(1);
});

test('an error of the link means failed if it did not happen, delivered if it did, and unknown if nobody can tell', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const outcomeWith = async (link: FileSystem['link']): Promise<unknown> => {
    const mailbox = setUp.seenBy({ files: { ...nodeFileSystem, link } });
    return (await setUp.deliver(setUp.letter(), { mailbox })).outcome;
  };
  const fail = (path: string): never => {
    throw systemError('EIO', { name: 'link', path });
  };
  expect(await outcomeWith((staged) => fail(staged))).toBe('failed');
  expect(setUp.names('new')).toHaveLength(0);
  const linked = (staged: string, target: string): void => nodeFileSystem.link(staged, target);
  expect(await outcomeWith((staged, target) => (linked(staged, target), fail(staged)))).toBe('delivered');
  expect(setUp.names('new')).toHaveLength(1);
  // Claimed, acknowledged and purged by others before anyone looked: the file's own link count still tells.
  const vanished = (staged: string, target: string): never => {
    linked(staged, target);
    nodeFileSystem.rename(target, `${setUp.mailbox.layout.tmp}/elsewhere`);
    return fail(staged);
  };
  expect(await outcomeWith(vanished)).toBe('delivered');
  // Without the staged file, which a sweep removed, nothing tells. Such a message used to be reported as delivered.
  expect(await outcomeWith((staged) => (nodeFileSystem.unlink(staged), fail(staged)))).toBe('unknown');
});

test('a file system without hard links is reported as such, and nothing is left behind', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const link = (staged: string): never => {
    throw systemError('EPERM', { name: 'link', path: staged });
  };
  const outcome = await setUp.deliver(setUp.letter(), {
    mailbox: setUp.seenBy({ files: { ...nodeFileSystem, link } }),
  });
  expect(outcome).toMatchObject({ outcome: 'failed', error: { message: expect.stringContaining('hard links') } });
  expect([setUp.names('new'), setUp.names('tmp')]).toEqual([[], []]);
});

test('a missing mailbox is a failure that names it', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  fs.rmSync(setUp.mailbox.layout.directory, { recursive: true });
  expect(await setUp.deliver(setUp.letter())).toMatchObject({
    outcome: 'failed',
    error: { message: expect.stringContaining(setUp.mailbox.layout.new) },
  });
});
