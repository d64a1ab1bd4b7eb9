import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const INNER = 0x36;
const OUTER = 0x5c;

/**
 * HMAC-SHA256 (RFC 2104) under one key of at most 64 bytes, of `tag` and the bytes behind it. Made of two hashes at one
 * go each, because an `Hmac` object costs several times what it computes.
 */
export function hmacSha256(key: Uint8Array, tag: Uint8Array): (bytes: Uint8Array) => Buffer {
  if (key.length > BLOCK_BYTES)
    throw new RangeError(`the key has ${key.length} bytes, expected at most ${BLOCK_BYTES}`);
  const inner = Buffer.concat([padded(key, INNER), tag]);
  const outer = padded(key, OUTER);
  return (bytes) => {
    const digest = hash('sha256', Buffer.concat([inner, bytes]), 'buffer');
    return hash('sha256', Buffer.concat([outer, digest]), 'buffer');
  };
}

function padded(key: Uint8Array, byte: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES, byte);
  for (const [index, value] of key.entries()) block[index] = value ^ byte;
  return block;
}
