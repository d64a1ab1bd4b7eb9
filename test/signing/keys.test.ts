import { createHash, createHmac, createPrivateKey, createPublicKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { createEd25519Key, createEd25519Verifier } from '../../src/signing/keyring.ts';
import { createHmacKey } from '../../src/signing/keys.ts';

const ROOM_KEY = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex');
const SIGNED = Buffer.from('{"v":1}');
const TAG = Buffer.from('mailroom/message/v1\n');

/** HKDF-SHA256 as RFC 5869 writes it down, one block at most. */
function hkdf({ key, salt, info, length }: { key: Buffer; salt: string; info: string; length: number }): Buffer {
  const pseudorandom = createHmac('sha256', salt).update(key).digest();
  return createHmac('sha256', pseudorandom)
    .update(info)
    .update(Buffer.from([1]))
    .digest()
    .subarray(0, length);
}

test('an actor key, its id and its signature are what RFC 5869 and RFC 2104 make of the room key', () => {
  const key = createHmacKey({ roomKey: ROOM_KEY, roomId: 'room-1', address: 'agent-1' });
  const from = { key: ROOM_KEY, salt: 'room-1' };
  const secret = hkdf({ ...from, info: 'mailroom/actor/v1\nagent-1', length: 32 });
  expect(key.keyId).toBe(hkdf({ ...from, info: 'mailroom/key-id/v1\nagent-1', length: 8 }).toString('hex'));
  const value = createHmac('sha256', secret).update(TAG).update(SIGNED).digest('hex');
  expect(key.sign(SIGNED)).toEqual({ keyId: key.keyId, value });
  expect(key.verify(SIGNED, value)).toBe(true);
});

test('a room id that is longer in UTF-8 than a block is a salt like any other', () => {
  const roomId = 'é'.repeat(64);
  const { keyId } = createHmacKey({ roomKey: ROOM_KEY, roomId, address: 'a' });
  expect(keyId).toBe(hkdf({ key: ROOM_KEY, salt: roomId, info: 'mailroom/key-id/v1\na', length: 8 }).toString('hex'));
});

test('another address, room or room key gives another key and another id', () => {
  const base = { roomKey: ROOM_KEY, roomId: 'room', address: 'a' };
  const variants = [
    base,
    { ...base, address: 'b' },
    { ...base, roomId: 'moor' },
    { ...base, roomKey: Buffer.alloc(32) },
    // Together they have the same characters in the same order.
    { ...base, roomId: 'room\na', address: 'a' },
  ];
  const keys = variants.map((variant) => createHmacKey(variant));
  expect(new Set(keys.map(({ keyId }) => keyId)).size).toBe(variants.length);
  const [first, ...others] = keys;
  const { value } = first?.sign(SIGNED) ?? { value: '' };
  for (const other of others) expect(other.verify(SIGNED, value)).toBe(false);
});

/** RFC 8032, section 7.1, test 1: the secret key as PKCS #8 (RFC 8410). */
const RFC_8032_TEST_1 = {
  secret: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
  public: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
};
const privateKey = createPrivateKey({
  key: Buffer.from(`302e020100300506032b657004220420${RFC_8032_TEST_1.secret}`, 'hex'),
  format: 'der',
  type: 'pkcs8',
});

test('the id of an Ed25519 key is the beginning of the SHA-256 of its 32 raw bytes', () => {
  const raw = Buffer.from(RFC_8032_TEST_1.public, 'hex');
  const expected = createHash('sha256').update(raw).digest('hex').slice(0, 16);
  expect(createEd25519Key(privateKey).keyId).toBe(expected);
  expect(createEd25519Verifier(createPublicKey(privateKey)).keyId).toBe(expected);
});

test('an Ed25519 signature is over the tag and the bytes, and always the same', () => {
  const key = createEd25519Key(privateKey);
  const first = key.sign(SIGNED);
  expect(key.sign(SIGNED)).toEqual(first);
  expect(first.value).toMatch(/^[0-9a-f]{128}$/);
  expect(key.verify(SIGNED, first.value)).toBe(true);
  expect(key.verify(Buffer.concat([TAG, SIGNED]), first.value)).toBe(false);
});

test.each([
  ['hmac-sha256', createHmacKey({ roomKey: ROOM_KEY, roomId: 'room', address: 'a' })],
  ['ed25519', createEd25519Key(privateKey)],
] as const)('%s: a value of another length, or no hex at all, is no signature', (_algorithm, key) => {
  const { value } = key.sign(SIGNED);
  const others = ['', '0', 'x'.repeat(value.length), value.slice(2), `${value}00`, value.slice(0, 64).repeat(2)];
  const wrong = others.filter((other) => other !== value);
  expect(wrong.map((other) => key.verify(SIGNED, other))).toEqual(wrong.map(() => false));
});

test('an Ed25519 signature whose second half was raised by the group order is refused', () => {
  const key = createEd25519Key(privateKey);
  const { value } = key.sign(SIGNED);
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const half = Buffer.from(value.slice(64), 'hex').reverse();
  const raised = Buffer.from((BigInt(`0x${half.toString('hex')}`) + order).toString(16).padStart(64, '0'), 'hex');
  const forged = value.slice(0, 64) + raised.reverse().toString('hex');
  expect(forged).toMatch(/^[0-9a-f]{128}$/);
  expect(key.verify(SIGNED, forged)).toBe(false);
});
