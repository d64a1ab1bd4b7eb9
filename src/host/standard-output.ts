import { fstatSync, readSync, statSync } from 'node:fs';

const STDOUT = 1;
const NOWHERE = '/dev/null';

/**
 * Whether this process was given a standard output. If it was closed (`>&-`), Node opens `/dev/null` in its place, for
 * reading and writing; a shell with `> /dev/null` opens it for writing only, and on purpose. A program that ignores the
 * output of its child passes `/dev/null` the same way as Node, and nobody sees that output either.
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

/**
 * The device of `/dev/null`; undefined on Windows, where every console is a character device and there is no such file.
 */
function nowhere(): number | undefined {
  return statSync(NOWHERE, { throwIfNoEntry: false })?.rdev;
}
