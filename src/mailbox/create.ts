import { ensureDirectory, syncDirectories } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import type { MailboxLayout } from '../message/layout.ts';

/**
 * Makes the directories of a mailbox, `new` last: a mailbox that has `new` can be delivered to. Repeating it completes it.
 * Syncs them, and at the same time the directories `above`.
 */
export async function createMailboxDirectories(
  host: Host,
  layout: MailboxLayout,
  above: readonly string[] = [],
): Promise<void> {
  const { files } = host;
  for (const path of [layout.directory, ...besideNew(layout), layout.new]) ensureDirectory(files, path);
  // Also those that were there: whoever made them may have been killed before it could sync them.
  await syncDirectories(files, [...above, layout.dead, layout.directory]);
}

/**
 * Makes the directories beside `new` that a mailbox has lost: what clears or copies trees may leave out an empty one. They
 * are without content, so whoever needs one may make it; `new` is not made, because it is what makes a mailbox one.
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
