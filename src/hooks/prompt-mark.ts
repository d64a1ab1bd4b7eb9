import { constants } from 'node:fs';
import type { FileSystem } from '../host/file-system.ts';
import { readText } from '../host/files.ts';
import type { SessionLayout } from '../message/layout.ts';

const BYTES_MAX = 4_096;
const OPEN_MARK = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/**
 * Marks that a prompt of this turn is in progress, or that the turn was interrupted. The file holds the turn's id, if it has
 * one. A mark cut off by a kill names no turn, and the mail is then shown again.
 */
export function markPrompt(files: FileSystem, { prompted }: SessionLayout, turnId = ''): void {
  const fd = files.open(prompted, OPEN_MARK, 0o600);
  try {
    const bytes = Buffer.from(turnId);
    files.write(fd, bytes, 0, bytes.length);
  } finally {
    files.close(fd);
  }
}

/** The turn id of a prompt that no other event has followed yet, empty if it has none; undefined if there is no such prompt. */
export function promptBefore(files: FileSystem, { prompted }: SessionLayout): string | undefined {
  return files.lstat(prompted) && (readText(files, prompted, BYTES_MAX) ?? '');
}
