/**
 * A message file is `{"signed":` + the signed bytes + `,"signature":{"keyId":"…","value":"<hex>"}}`: one JSON document
 * whose signed part is found without parsing. The last `,"signature":` divides it, and what follows must match exactly.
 */
const PREFIX = Buffer.from('{"signed":');
const DIVIDER = Buffer.from(',"signature":');
const REST = /^,"signature":\{"keyId":"([0-9a-f]{16})","value":"((?:[0-9a-f]{64}){1,2})"\}\}$/;
const REST_BYTES_MAX = 256;

export interface Framed {
  /** The raw bytes that were signed. */
  readonly signed: Buffer;
  /** 16 hex digits. */
  readonly keyId: string;
  /** 64 (HMAC-SHA256) or 128 (Ed25519) hex digits. */
  readonly value: string;
}

export function frame(signed: Uint8Array, signature: { keyId: string; value: string }): Buffer {
  const rest = `,"signature":{"keyId":"${signature.keyId}","value":"${signature.value}"}}`;
  return Buffer.concat([PREFIX, signed, Buffer.from(rest, 'latin1')]);
}

/** Divides a message file; undefined if it does not have exactly this form. */
export function unframe(file: Buffer): Framed | undefined {
  if (file.compare(PREFIX, 0, PREFIX.length, 0, Math.min(PREFIX.length, file.length)) !== 0) return undefined;
  const divider = file.lastIndexOf(DIVIDER);
  if (divider < PREFIX.length || file.length - divider > REST_BYTES_MAX) return undefined;
  const rest = REST.exec(file.toString('latin1', divider));
  if (!rest?.[1] || !rest[2]) return undefined;
  return { signed: file.subarray(PREFIX.length, divider), keyId: rest[1], value: rest[2] };
}
