import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
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
    return isDevice(fstatSync(fd)) && readSync(fd, bytes, 0, length, null) === length ? bytes : undefined;
  } catch {
    // A system, or a sandbox, without the device.
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** On Linux it is device 1:9 (Documentation/admin-guide/devices.txt); another one may lie there in a container. */
function isDevice(facts: Stats): boolean {
  return facts.isCharacterDevice() && (process.platform !== 'linux' || facts.rdev === LINUX_DEVICE);
}

const LINUX_DEVICE = 0x0109;
