import type { Mailbox } from './mailbox.ts';

/**
 * Removes what senders that died left in `tmp`, once it is old, and returns how many files that were. Never touches a
 * message that was delivered: its name in `new` is another link. A live sender whose file is swept writes it again.
 */
export function sweep(mailbox: Mailbox): number {
  const { files, clock } = mailbox.host;
  const before = clock.now() - mailbox.limits.tmpAgeMsMax;
  let swept = 0;
  for (const name of files.readdir(mailbox.layout.tmp)) {
    const path = `${mailbox.layout.tmp}/${name}`;
    const facts = files.lstat(path);
    if (facts?.kind !== 'file' || facts.mtimeMs > before) continue;
    try {
      files.unlink(path);
      swept += 1;
    } catch {
      // Its sender finished, another sweep was faster, or it cannot be removed: it only wastes space.
    }
  }
  return swept;
}
