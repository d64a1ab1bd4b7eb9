import { createHash, createHmac, createPublicKey, sign, timingSafeEqual, verify, type KeyObject } from 'node:crypto';
import { hmacSha256 } from './hmac-sha256.ts';

export type Algorithm = 'hmac-sha256' | 'ed25519';

/** What precedes the signed bytes under every signature, so that one made here means nothing elsewhere. */
const TAG = Buffer.from('mailroom/message/v1\n');
const KEY_BYTES = 32;
const KEY_ID_BYTES = 8;
const NOTHING = Buffer.alloc(0);
const FIRST_BLOCK = Buffer.of(1);

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
 * The symmetric key of one actor: HKDF-SHA256 (RFC 5869) of the room's key, the room's id as salt,
 * `mailroom/actor/v1\n<address>` as info. Whoever has the room's key can sign as anyone.
 */
export function createHmacKey(options: { roomKey: Uint8Array; roomId: string; address: string }): SigningKey {
  const { roomKey, roomId, address } = options;
  const derive = (use: string, length: number): Buffer =>
    hkdfSha256(roomKey, { salt: roomId, info: `mailroom/${use}/v1\n${address}`, length });
  const keyId = derive('key-id', KEY_ID_BYTES).toString('hex');
  const mac = hmacSha256(derive('actor', KEY_BYTES), TAG);
  return {
    keyId,
    algorithm: 'hmac-sha256',
    sign: (signed) => ({ keyId, value: mac(signed).toString('hex') }),
    verify: (signed, value) => {
      const given = Buffer.from(value, 'hex');
      const expected = mac(signed);
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
  };
}

/**
 * HKDF-SHA256 (RFC 5869) of at most one block, 32 bytes: extract (2.2), then the first step of expand (2.3). Written out,
 * because the one of node:crypto costs a process that signs one message more than all else it signs with.
 */
function hkdfSha256(key: Uint8Array, { salt, info, length }: { salt: string; info: string; length: number }): Buffer {
  const extracted = createHmac('sha256', salt).update(key).digest();
  return createHmac('sha256', extracted).update(info).update(FIRST_BLOCK).digest().subarray(0, length);
}

/** Ed25519 (RFC 8032); the key id is the first 16 hex digits of the SHA-256 of the raw public key. */
export function createEd25519Verifier(publicKey: KeyObject): VerifyingKey {
  const keyId = ed25519KeyId(publicKey);
  return {
    keyId,
    algorithm: 'ed25519',
    verify: (signed, value) =>
      value.length === 128 && verify(null, tagged(signed), publicKey, Buffer.from(value, 'hex')),
  };
}

export function createEd25519Key(privateKey: KeyObject): SigningKey {
  const verifier = createEd25519Verifier(createPublicKey(privateKey));
  return {
    ...verifier,
    sign: (signed) => ({ keyId: verifier.keyId, value: sign(null, tagged(signed), privateKey).toString('hex') }),
  };
}

function ed25519KeyId(publicKey: KeyObject): string {
  const raw = publicKey.export({ format: 'jwk' }).x ?? '';
  return createHash('sha256')
    .update(Buffer.from(raw, 'base64url'))
    .digest('hex')
    .slice(0, KEY_ID_BYTES * 2);
}

function tagged(signed: Uint8Array): Buffer {
  return Buffer.concat([TAG, signed.length === 0 ? NOTHING : signed]);
}
