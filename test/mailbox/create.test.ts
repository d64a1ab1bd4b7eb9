import { expect, test } from 'vitest';
import { nodeFileSystem } from '../../src/host/node-file-system.ts';
import { createMailboxDirectories, isMailbox } from '../../src/mailbox/create.ts';
import { scratchDirectories } from '../chain/scratch.ts';
import { countCalls, failAt } from '../faults/faulty-files.ts';
import { MailboxSetUp } from './mailbox-set-up.ts';

const scratch = scratchDirectories('create');

test('mail can be delivered to a mailbox only once all of it is there', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const { layout, host } = setUp.mailbox;
  nodeFileSystem.rmdir(layout.new);
  nodeFileSystem.rmdir(layout.refused);
  nodeFileSystem.rmdir(layout.dead);
  expect(isMailbox(host, layout)).toBe(false);
  for (let n = 1; !isMailbox(host, layout); n++) {
    const faulty = failAt(nodeFileSystem, { n, error: 'EIO', lasting: true });
    await createMailboxDirectories({ ...host, files: faulty.files }, layout).catch(() => {});
  }
  expect(setUp.names('dead')).toEqual(['refused']);
});

// Root cause: a retry after a kill found nothing to make, and left existing directories unsynced.
test('making it again syncs it again', async () => {
  const setUp = await MailboxSetUp.in(scratch());
  const { layout, host } = setUp.mailbox;
  const counted = countCalls(nodeFileSystem);
  await createMailboxDirectories({ ...host, files: counted.files }, layout);
  const synced = counted.steps.filter((step) => step.startsWith('fsync'));
  expect(synced).toEqual([`fsync ${layout.dead}`, `fsync ${layout.directory}`]);
});
