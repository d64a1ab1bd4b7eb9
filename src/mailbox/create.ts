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
  for (const path of [layout.directory, layout.tmp, layout.cur, layout.done, layout.dead, layout.refused, layout.new]) {
    ensureDirectory(files, path);
  }
  // Also those that were there: whoever made them may have been killed before it could sync them.
  await syncDirectories(files, [...above, layout.dead, layout.directory]);
}

/** Whether mail can be delivered here. */
export function isMailbox(host: Host, layout: MailboxLayout): boolean {
  return host.files.lstat(layout.new)?.kind === 'directory';
}
