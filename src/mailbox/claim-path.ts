import { errnoOf } from '../host/file-system.ts';
import { renameSettled } from '../host/files.ts';
import { claimFileName, type ClaimName } from '../message/layout.ts';
import type { Mailbox } from './mailbox.ts';

export function claimPath({ layout }: Pick<Mailbox, 'layout'>, claim: ClaimName): string {
  return `${layout.cur}/${claimFileName(claim)}`;
}

const NAMES_TRIED_MAX = 1_000;

/**
 * Renames a file in `new`, `cur` or `dead` to a claim, and returns that claim; undefined when the file was gone. Two
 * copies of a message may be claimed in the same ms, and a rename replaces what has the name, so a claim whose name is
 * taken ends 1 ms later.
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

/** Renames; false when the source was gone, which is how a holder learns that it is none any more. */
export function moved({ host }: Pick<Mailbox, 'host'>, from: string, to: string): boolean {
  try {
    renameSettled(host.files, from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
