import { errnoOf } from '../host/file-system.ts';
import { createFile, createFileSynced, removeQuietly, stagedPath } from '../host/files.ts';
import { completeMailbox } from './create.ts';
import type { Durability, Mailbox } from './mailbox.ts';

const MESSAGE_MODE = 0o400;
const NAME_TRIES_MAX = 3;

/** Writes a message whole into the mailbox's `tmp`, from where it is linked. Resolves with its path; throws the system call's error. */
export async function stageMessage(
  mailbox: Mailbox,
  { bytes, durability }: { bytes: Uint8Array; durability: Durability },
): Promise<string> {
  const { files, randomBytes } = mailbox.host;
  for (let attempt = 1; ; attempt++) {
    const path = stagedPath(mailbox.layout.tmp, randomBytes);
    try {
      if (durability === 'power') await createFileSynced(files, path, bytes, MESSAGE_MODE);
      else createFile(files, path, bytes, MESSAGE_MODE);
      return path;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== 'EEXIST') removeQuietly(files, path);
      if ((errno !== 'EEXIST' && errno !== 'ENOENT') || attempt === NAME_TRIES_MAX) throw error;
      if (errno === 'ENOENT') completeMailbox(mailbox.host, mailbox.layout);
    }
  }
}
