import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Where one run puts everything; removed at its end. */
export interface Workspace {
  readonly directory: string;
  /** Whether batches lie far from each other on the disk (see below). */
  readonly isSpread: boolean;
  /** A directory never used before. */
  readonly fresh: () => string;
  readonly remove: () => void;
}

/**
 * On an ext4 without a journal, creating a file passes over every inode that was freed in the last minutes, one by one:
 * 10 to 50 times slower than on a fresh disk, and it falls on whoever comes next. So no batch uses a directory twice,
 * nothing is removed before the end, and where `chattr` can say so (+T), every batch gets a block group of its own,
 * apart from what other programs delete.
 */
export function makeWorkspace(parent = os.tmpdir()): Workspace {
  const directory = fs.mkdtempSync(path.join(parent, 'mailroom-bench-'));
  let made = 0;
  return {
    directory,
    isSpread: spread(directory),
    fresh: () => {
      made += 1;
      const fresh = path.join(directory, String(made));
      fs.mkdirSync(fresh);
      return fresh;
    },
    remove: () => fs.rmSync(directory, { recursive: true, force: true }),
  };
}

/** chattr(1), part of e2fsprogs; where it is missing or refuses, nothing is spread. */
const CHANGE_ATTRIBUTES = 'chattr';

function spread(directory: string): boolean {
  try {
    execFileSync(CHANGE_ATTRIBUTES, ['+T', directory], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
