import { sha256 } from '../host/sha256.ts';

/** How messages are signed: with one secret of the room, or with a key pair per actor. */
export type Algorithm = 'hmac-sha256' | 'ed25519';

/** Precedes the signed bytes under every signature, so that a signature made here is worthless elsewhere. */
export const TAG: Uint8Array = Buffer.from('mailroom/message/v1\n');
const KEY_BYTES = 32;
export const KEY_ID_BYTES = 8;
const NOTHING = Buffer.alloc(0);

/** Checks signatures of one actor. */
export interface VerifyingKey {
  readonly keyId: string;
  readonly algorithm: Algorithm;
  /** Whether `value` (hex) is this key's signature of the bytes. */
  verify(signed: Uint8Array, value: string): boolean;
}

/** Signs as one actor. */
export interface SigningKey extends VerifyingKey {
  sign(signed: Uint8Array): { keyId: string; value: string };
}

/**
 * The symmetric key of one actor: HKDF-SHA256 (RFC 5869) of the room's key, with the room's id as salt and
 * `mailroom/actor/v1\n<address>` as info. Whoever has the room's key can sign as anyone.
 */
export function createHmacKey(options: { roomKey: Uint8Array; roomId: string; address: string }): SigningKey {
  const { roomKey, roomId, address } = options;
  // HKDF-SHA256: extract (2.2), then the first step of expand (2.3), which gives up to 32 bytes.
  const expand = hmacSha256(hmacSha256(Buffer.from(roomId), NOTHING)(roomKey), NOTHING);
  const derive = (use: string, length: number): Buffer =>
    expand(Buffer.from(`mailroom/${use}/v1\n${address}\x01`)).subarray(0, length);
  const keyId = derive('key-id', KEY_ID_BYTES).toString('hex');
  const mac = hmacSha256(derive('actor', KEY_BYTES), TAG);
  return {
    keyId,
    algorithm: 'hmac-sha256',
    sign: (signed) => ({ keyId, value: mac(signed).toString('hex') }),
    verify: (signed, value) => {
      const given = Buffer.from(value, 'hex');
      const expected = mac(signed);
      return isEqual(given, expected);
    },
  };
}

/** Constant-time comparison. */
function isEqual(given: Uint8Array, expected: Uint8Array): boolean {
  if (given.length !== expected.length) return false;
  let difference = 0;
  for (let index = 0; index < expected.length; index++) difference |= (expected[index] ?? 0) ^ (given[index] ?? 0);
  return difference === 0;
}

const BLOCK_BYTES = 64;
const INNER = 0x36;
const OUTER = 0x5c;

/**
 * HMAC-SHA256 (RFC 2104) with one key, over `tag` and the bytes behind it. Computed as two one-shot hashes, because an
 * `Hmac` object of node:crypto costs several times what it computes.
 */
export function hmacSha256(key: Uint8Array, tag: Uint8Array): (bytes: Uint8Array) => Buffer {
  const short = key.length > BLOCK_BYTES ? sha256(key) : key;
  const inner = Buffer.concat([padded(short, INNER), tag]);
  const outer = padded(short, OUTER);
  return (bytes) => sha256(outer, sha256(inner, bytes));
}

function padded(key: Uint8Array, byte: number): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES).fill(byte);
  // By index: an iterator takes several times as long in a process that has only just started.
  for (let index = 0; index < key.length; index++) block[index] = (key[index] ?? 0) ^ byte;
  return block;
}
