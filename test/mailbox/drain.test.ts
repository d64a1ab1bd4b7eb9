import fs from 'node:fs';
import { expect, test } from 'vitest';
import { nodeFileSystem } from '../../src/host/node-file-system.ts';
import { acknowledge, type Claim } from '../../src/mailbox/claim.ts';
import { drain, inRounds } from '../../src/mailbox/drain.ts';
import type { Mailbox } from '../../src/mailbox/mailbox.ts';
import { scratchDirectories } from '../chain/scratch.ts';
import { systemError } from '../faults/faulty-files.ts';
import { idAt, LEASE_MS, MailboxSetUp, START_MS } from './mailbox-set-up.ts';

const scratch = scratchDirectories('drain');

function drained(mailbox: Mailbox): Claim[] {
  return [...drain(mailbox, { leaseMs: LEASE_MS })];
}

function contentsOf(claims: readonly Claim[]): string[] {
  return claims.map(({ message }) => message.content);
}

test('a drain claims everything, including expired claims, and leaves what others hold', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const held = await setUp.claimed({ content: 'held' });
  for (const content of ['one', 'two']) await setUp.deliver(setUp.letter({ content }));
  const released = setUp.letter({ content: 'released' });
  setUp.lay(released, { cur: [1, 0] });
  expect(contentsOf(drained(setUp.seenBy())).sort()).toEqual(['one', 'released', 'two']);
  expect(drained(setUp.seenBy())).toEqual([]);
  expect(setUp.names('cur')).toContain(`${held.name},1,${START_MS + LEASE_MS}`);
});

test('messages of one sender come in the order of their ids', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const contents = ['c', 'a', 'd', 'b'];
  for (const content of contents) {
    await setUp.deliver(setUp.letter({ content, id: idAt(START_MS, content.charCodeAt(0)) }));
  }
  expect(contentsOf(drained(setUp.mailbox))).toEqual(['a', 'b', 'c', 'd']);
});

test('mail that arrives during a drain is drained as well', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  await setUp.deliver(setUp.letter({ content: 'first' }));
  const contents: string[] = [];
  for (const claim of drain(setUp.mailbox, { leaseMs: LEASE_MS })) {
    contents.push(claim.message.content);
    acknowledge(setUp.mailbox, claim);
    if (contents.length < 4) setUp.lay(setUp.letter({ content: 'later' }), { new: true });
  }
  expect(contents).toEqual(['first', 'later', 'later', 'later']);
});

test('a flood from one sender holds up the others by at most 30 messages', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const flood = Array.from({ length: 100 }, (_, n) => setUp.letter({ content: 'flood', id: idAt(START_MS, n) }));
  for (const sealed of flood) setUp.lay(sealed, { new: true });
  for (const from of ['carol', 'dave']) {
    setUp.lay(setUp.letter({ from, content: from, id: idAt(START_MS, 1_000) }), { new: true });
  }
  const contents = contentsOf(drained(setUp.mailbox));
  expect(contents).toHaveLength(102);
  expect(contents.indexOf('carol')).toBeLessThanOrEqual(31);
  expect(contents.indexOf('dave')).toBeLessThanOrEqual(31);
});

test('rounds keep the order of each sender and lose no message', () => {
  const nameOf = (from: string, n: number): string => `${idAt(START_MS, n)}.${from}.json`;
  const names = [...Array(7).keys()].flatMap((n) => [nameOf('a', n), ...(n < 3 ? [nameOf('b', n)] : [])]).sort();
  const ordered = inRounds(names, 2);
  expect([...ordered].sort()).toEqual(names);
  for (const from of ['a', 'b']) {
    const own = ordered.filter((name) => name.endsWith(`.${from}.json`));
    expect(own).toEqual([...own].sort());
  }
  expect(ordered.slice(0, 4).filter((name) => name.endsWith('.a.json'))).toHaveLength(2);
});

test('names that are not messages are put aside, and good mail passes them', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  fs.writeFileSync(`${setUp.mailbox.layout.new}/notes.txt`, 'hello');
  fs.mkdirSync(`${setUp.mailbox.layout.new}/folder`);
  await setUp.deliver(setUp.letter({ content: 'good' }));
  expect(contentsOf(drained(setUp.mailbox))).toEqual(['good']);
  expect(setUp.refusals()).toEqual(['bad-name', 'bad-name']);
  expect(setUp.names('new')).toEqual([]);
});

test('a message that cannot be claimed for now is passed over, and reported only if there was nothing else', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const stuck = setUp.letter({ content: 'stuck' });
  await setUp.deliver(stuck);
  const files = {
    ...nodeFileSystem,
    rename: (from: string, to: string): void => {
      if (from.includes(stuck.name)) throw systemError('EIO', { name: 'rename', path: from });
      nodeFileSystem.rename(from, to);
    },
  };
  expect(() => drained(setUp.seenBy({ files }))).toThrow(/EIO/);
  await setUp.deliver(setUp.letter({ content: 'good' }));
  expect(contentsOf(drained(setUp.seenBy({ files })))).toEqual(['good']);
  expect(contentsOf(drained(setUp.mailbox))).toEqual(['stuck']);
});

test('a file that can be neither read nor moved is reported once and skipped', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const name = 'mounted';
  fs.mkdirSync(`${setUp.mailbox.layout.new}/${name}`);
  const files = {
    ...nodeFileSystem,
    rename: (from: string, to: string): void => {
      if (from.endsWith(name)) throw systemError('EBUSY', { name: 'rename', path: from });
      nodeFileSystem.rename(from, to);
    },
  };
  const events: { kind: string }[] = [];
  const mailbox = setUp.seenBy({ files, events: events as never });
  for (let looks = 0; looks < 3; looks++) expect(drained(mailbox)).toEqual([]);
  expect(events.map(({ kind }) => kind)).toEqual(['unmovable']);
  expect(setUp.names('refused')).toEqual([]);
});
