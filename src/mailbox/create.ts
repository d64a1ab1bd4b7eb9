import { ensureDirectory, syncDirectories } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import type { MailboxLayout } from '../message/layout.ts';

/**
 * Makes the directories of a mailbox, `new` last: mail can be delivered once `new` exists. Idempotent, and completes
 * what is missing. Syncs the directories, and at the same time those in `above`.
 */
export async function createMailboxDirectories(
  host: Host,
  layout: MailboxLayout,
  above: readonly string[] = [],
): Promise<void> {
  const { files } = host;
  for (const path of [layout.directory, ...besideNew(layout), layout.new]) ensureDirectory(files, path);
  // Existing directories too: the process that made them may have been killed before it could sync them.
  await syncDirectories(files, [...above, layout.dead, layout.directory]);
}

/**
 * Makes the directories beside `new` that a mailbox has lost: programs that clean up or copy trees may leave out empty
 * ones. They have no content of their own, so any process may make them. `new` is not made, because it is what makes a
 * directory a mailbox.
 */
export function completeMailbox(host: Pick<Host, 'files'>, layout: MailboxLayout): void {
  for (const path of besideNew(layout)) ensureDirectory(host.files, path);
}

function besideNew({ tmp, cur, done, dead, refused }: MailboxLayout): string[] {
  return [tmp, cur, done, dead, refused];
}

/** Whether mail can be delivered here. */
export function isMailbox(host: Host, layout: MailboxLayout): boolean {
  return host.files.lstat(layout.new)?.kind === 'directory';
}
