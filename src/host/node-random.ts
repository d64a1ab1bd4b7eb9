import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { nodeCrypto } from './node-crypto.ts';

const DEVICE = '/dev/urandom';

/** Unpredictable bytes for ids: from the system's device if there is one, without loading node:crypto. */
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

/** On Linux it is device 1:9 (Documentation/admin-guide/devices.txt); in a container another one may be at its path. */
function isDevice(facts: Stats): boolean {
  return facts.isCharacterDevice() && (process.platform !== 'linux' || facts.rdev === LINUX_DEVICE);
}

const LINUX_DEVICE = 0x0109;

const POOL_BYTES = 4_096;
/** Longer requests are keys; they share memory with nothing. */
const POOLED_BYTES_MAX = 24;

/**
 * Hands out random bytes drawn from the system many at a time, because drawing a few costs at least a system call. No
 * byte is handed out twice. Both sources return fresh unpredictable bytes: `drawKey` for longer requests, which are
 * keys, `drawPool` for the pool.
 */
export function createRandomPool({
  drawPool,
  drawKey,
}: {
  drawPool: (length: number) => Buffer;
  drawKey: (length: number) => Buffer;
}): (length: number) => Buffer {
  let pool: Buffer = Buffer.alloc(0);
  let used = 0;
  return (length) => {
    if (length > POOLED_BYTES_MAX) return drawKey(length);
    if (used + length > pool.length) {
      // A new buffer each time: what was handed out is part of the old one.
      pool = drawPool(POOL_BYTES);
      used = 0;
    }
    used += length;
    return pool.subarray(used - length, used);
  };
}
