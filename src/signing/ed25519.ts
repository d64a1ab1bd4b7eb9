import type { KeyObject } from 'node:crypto';
import { nodeCrypto } from '../host/node-crypto.ts';
import { sha256Hex } from '../host/sha256.ts';
import { KEY_ID_BYTES, TAG, type SigningKey, type VerifyingKey } from './keys.ts';

/** Ed25519 (RFC 8032); the key id is the first 16 hex digits of the SHA-256 of the raw public key. */
export function createEd25519Verifier(publicKey: KeyObject): VerifyingKey {
  const keyId = ed25519KeyId(publicKey);
  return {
    keyId,
    algorithm: 'ed25519',
    verify: (signed, value) =>
      value.length === 128 && nodeCrypto().verify(null, tagged(signed), publicKey, Buffer.from(value, 'hex')),
  };
}

export function createEd25519Key(privateKey: KeyObject): SigningKey {
  const verifier = createEd25519Verifier(nodeCrypto().createPublicKey(privateKey));
  return {
    ...verifier,
    sign: (signed) => ({
      keyId: verifier.keyId,
      value: nodeCrypto().sign(null, tagged(signed), privateKey).toString('hex'),
    }),
  };
}

function ed25519KeyId(publicKey: KeyObject): string {
  const raw = publicKey.export({ format: 'jwk' }).x ?? '';
  return sha256Hex(Buffer.from(raw, 'base64url')).slice(0, KEY_ID_BYTES * 2);
}

function tagged(signed: Uint8Array): Buffer {
  return Buffer.concat([TAG, signed]);
}
