import { dirname } from 'node:path';
import { errnoOf, type FileSystem } from '../host/file-system.ts';
import { ensureDirectory, renameSettled } from '../host/files.ts';
import { claimFileName, type ClaimName } from '../message/layout.ts';
import { completeMailbox } from './create.ts';
import { donePath } from './find.ts';
import type { Mailbox } from './mailbox.ts';

export function claimPath({ layout }: Pick<Mailbox, 'layout'>, claim: ClaimName): string {
  return `${layout.cur}/${claimFileName(claim)}`;
}

const NAMES_TRIED_MAX = 1_000;

/**
 * Renames a file in `new`, `cur` or `dead` to a claim, and returns that claim; undefined if the file was gone. Two
 * copies of a message may be claimed in the same ms, and a rename replaces an existing file of that name, so a claim
 * whose name is taken ends 1 ms later.
 */
export function moveToClaim(
  mailbox: Pick<Mailbox, 'layout' | 'host'>,
  { path, claim }: { path: string; claim: ClaimName },
): ClaimName | undefined {
  const { name, attempt } = claim;
  let { untilMs } = claim;
  for (let tried = 1; tried < NAMES_TRIED_MAX; tried++) {
    if (!mailbox.host.files.lstat(claimPath(mailbox, { name, attempt, untilMs }))) break;
    untilMs += 1;
  }
  const free: ClaimName = { name, attempt, untilMs };
  return moved(mailbox, path, claimPath(mailbox, free)) ? free : undefined;
}

/**
 * Renames within the mailbox; false if the source was gone, which is how a holder learns that it has lost its claim. If
 * the source is still there, the target directory is missing, so it is made and the rename retried.
 */
function moved(mailbox: Pick<Mailbox, 'layout' | 'host'>, from: string, to: string): boolean {
  const { host, layout } = mailbox;
  if (isRenamed(host.files, from, to)) return true;
  if (!host.files.lstat(from)) return false;
  completeMailbox(host, layout);
  return isRenamed(host.files, from, to);
}

/** Moves a handled message to `done`; false if it was gone. */
export function moveToDone(mailbox: Mailbox, from: string, name: string): boolean {
  const { memory, host, layout } = mailbox;
  const to = donePath(mailbox, name);
  const day = dirname(to);
  if (!memory.doneDays.has(day)) {
    mailbox.room.assertSame();
    if (!host.files.lstat(layout.done)) completeMailbox(host, layout);
    ensureDirectory(host.files, day);
    memory.doneDays.add(day);
  }
  // At this rename the message is acknowledged.
  if (moved(mailbox, from, to)) return true;
  if (!host.files.lstat(from)) return false;
  // The directory of the day was purged after it was remembered.
  ensureDirectory(host.files, day);
  return isRenamed(host.files, from, to);
}

function isRenamed(files: FileSystem, from: string, to: string): boolean {
  try {
    renameSettled(files, from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
