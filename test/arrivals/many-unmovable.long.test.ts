/**
 * Root cause: files that cannot be moved are remembered, up to a limit at which they are forgotten. A drain that listed
 * more of them than are remembered found them again at every listing, and never ended.
 */
import fs from 'node:fs';
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import { createIdSource } from '../../src/message/message-id.ts';
import { mailboxOf } from '../../src/room/context.ts';
import { contextOf } from '../../src/room/room.ts';
import { systemError } from '../faults/faulty-files.ts';
import { openPair } from './pair.ts';

const UNMOVABLE = 10_050;

test('more unmovable files than are remembered let a drain end, and good mail through', async () => {
  let tries = 0;
  const files: typeof nodeHost.files = {
    ...nodeHost.files,
    rename: (from, to) => {
      if (!from.includes('/new/') || fs.statSync(from).size > 0) return nodeHost.files.rename(from, to);
      tries += 1;
      throw systemError('EBUSY', { name: 'rename', path: from });
    },
  };
  await using pair = await openPair({ host: { files }, limits: { newMessagesMax: 3 * UNMOVABLE } });
  const layout = mailboxOf(contextOf(pair.readerRoom), 'bob')?.layout;
  const ids = createIdSource(randomBytes);
  for (let n = 0; n < UNMOVABLE; n++) fs.writeFileSync(`${layout?.new}/${ids.next(Date.now())}.alice.json`, '');
  await pair.alice.send({ to: 'bob', type: 'INFO', content: 'good' });
  const read: string[] = [];
  for await (const mail of pair.bob.inbox({ wait: false })) {
    read.push(mail.message.content);
    await mail.ack();
  }
  expect(read).toEqual(['good']);
  expect(fs.readdirSync(layout?.new ?? '')).toHaveLength(UNMOVABLE);
  console.log(`${UNMOVABLE} that cannot be moved, ${tries} tries to move them`);
});
