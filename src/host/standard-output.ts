import { fstatSync, readSync, statSync } from 'node:fs';

const STDOUT = 1;
const NOWHERE = '/dev/null';

/**
 * Whether the standard output was given to this process. Where it was closed (`>&-`), Node opens `/dev/null` in its place,
 * for reading and writing; a shell that is told `> /dev/null` opens it for writing only, and means it. A program that starts
 * another one and ignores its output gives it the same as Node would, and nobody sees that output either.
 */
export function isStandardOutputThere(): boolean {
  const facts = fstatSync(STDOUT);
  if (!facts.isCharacterDevice() || facts.rdev !== nowhere()) return true;
  try {
    readSync(STDOUT, new Uint8Array(1));
    return false;
  } catch {
    // EBADF: it was opened for writing only.
    return true;
  }
}

/** Its device; undefined on Windows, where every console is a character device and there is no such file. */
function nowhere(): number | undefined {
  return statSync(NOWHERE, { throwIfNoEntry: false })?.rdev;
}
