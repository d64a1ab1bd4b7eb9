import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { nodeCrypto } from './node-crypto.ts';

const DEVICE = '/dev/urandom';

/** Bytes that nobody can predict, for ids: from the system itself where it has a device for them, without loading node:crypto. */
export function drawRandomBytes(length: number): Buffer {
  return readDevice(length) ?? nodeCrypto().randomBytes(length);
}

function readDevice(length: number): Buffer | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(DEVICE, 'r');
    const bytes = Buffer.alloc(length);
    const isWhole = fstatSync(fd).isCharacterDevice() && readSync(fd, bytes, 0, length, null) === length;
    return isWhole ? bytes : undefined;
  } catch {
    // A system, or a sandbox, without the device.
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
