import { sha256 } from '../host/sha256.ts';

const BLOCK_BYTES = 64;
const INNER = 0x36;
const OUTER = 0x5c;

/**
 * HMAC-SHA256 (RFC 2104) under one key, of `tag` and the bytes behind it. Made of two hashes at one go each, because an
 * `Hmac` object of node:crypto costs several times what it computes.
 */
export function hmacSha256(key: Uint8Array, tag: Uint8Array): (bytes: Uint8Array) => Buffer {
  const short = key.length > BLOCK_BYTES ? sha256(key) : key;
  const inner = Buffer.concat([padded(short, INNER), tag]);
  const outer = padded(short, OUTER);
  return (bytes) => {
    const digest = sha256(Buffer.concat([inner, bytes]));
    return sha256(Buffer.concat([outer, digest]));
  };
}

function padded(key: Uint8Array, byte: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES, byte);
  // By index: an iterator takes several times as long in a process that has only just started.
  for (let index = 0; index < key.length; index++) block[index] = (key[index] ?? 0) ^ byte;
  return block;
}
