import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RoomRefused } from '../../src/errors.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { actorLayout, roomLayout } from '../../src/message/layout.ts';
import { openKeyring, type Keyring } from '../../src/signing/keyring.ts';
import type { Algorithm } from '../../src/signing/keys.ts';
import { createSigningRoom, type SigningRoom } from './signing-room.ts';

const SIGNED = Buffer.from('{}');

describe('hmac-sha256', () => {
  let room: SigningRoom;
  beforeEach(async () => (room = await createSigningRoom('hmac-sha256')));
  afterEach(() => room.remove());

  test('every actor has a key without being enrolled, and everybody who has the room key has it', () => {
    const value = room.keyring.signerOf('alice').sign(SIGNED);
    const verifier = reopen(room, 'hmac-sha256').verifierOf('alice', value.keyId);
    expect(verifier?.verify(SIGNED, value.value)).toBe(true);
    expect(room.keyring.verifierOf('bob', value.keyId)).toBeUndefined();
  });

  test.each(['', 'short', `${'0'.repeat(63)}g`, '0'.repeat(65), `${'0'.repeat(64)}\n\n`, 'A'.repeat(64)])(
    'a room key of %j is refused, as is none at all',
    (text) => {
      fs.writeFileSync(room.layout.roomKey, text);
      expect(() => reopen(room, 'hmac-sha256').signerOf('alice')).toThrow(RoomRefused);
      fs.rmSync(room.layout.roomKey);
      expect(() => reopen(room, 'hmac-sha256').verifierOf('alice', '')).toThrow(RoomRefused);
    },
  );

  test('a room key may end with a line feed or not', () => {
    const { keyId } = room.keyring.signerOf('alice');
    fs.writeFileSync(room.layout.roomKey, fs.readFileSync(room.layout.roomKey, 'utf8').trim());
    expect(reopen(room, 'hmac-sha256').signerOf('alice').keyId).toBe(keyId);
  });
});

describe('ed25519', () => {
  let room: SigningRoom;
  beforeEach(async () => (room = await createSigningRoom('ed25519')));
  afterEach(() => room.remove());

  test('a public key never changes after it was published', async () => {
    const { publicKey, privateKey } = actorLayout(room.layout, 'alice');
    const before = [fs.readFileSync(publicKey, 'utf8'), fs.readFileSync(privateKey, 'utf8')];
    await reopen(room, 'ed25519').enrol('alice');
    fs.rmSync(privateKey);
    await reopen(room, 'ed25519').enrol('alice');
    expect(fs.readFileSync(publicKey, 'utf8')).toBe(before[0]);
    expect(fs.existsSync(privateKey)).toBe(false);
  });

  test('an enrolment that ended between the two keys is completed with the private key it left', async () => {
    const { publicKey, privateKey } = actorLayout(room.layout, 'alice');
    const { keyId } = room.keyring.signerOf('alice');
    const secret = fs.readFileSync(privateKey, 'utf8');
    fs.rmSync(publicKey);
    await reopen(room, 'ed25519').enrol('alice');
    expect(fs.readFileSync(privateKey, 'utf8')).toBe(secret);
    expect(reopen(room, 'ed25519').verifierOf('alice', keyId)).toBeDefined();
  });

  test('keys are files that only their owner can read', () => {
    for (const file of [actorLayout(room.layout, 'alice').publicKey, actorLayout(room.layout, 'alice').privateKey]) {
      expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    }
  });

  test('without a private key nobody signs, and with a broken one neither', () => {
    const { privateKey } = actorLayout(room.layout, 'alice');
    fs.writeFileSync(privateKey, 'no key');
    expect(() => reopen(room, 'ed25519').signerOf('alice')).toThrow(RoomRefused);
    fs.rmSync(privateKey);
    expect(() => reopen(room, 'ed25519').signerOf('alice')).toThrow(RoomRefused);
  });

  // Root cause: such a sender's name threw while its key was looked up, so its mail was never put aside and a reader of
  // nothing else failed each time.
  test.each(['all', 'system', 'nobody'])('a sender named %s has no key, and asking for it throws nothing', (sender) => {
    expect(room.keyring.verifierOf(sender, '0'.repeat(16))).toBeUndefined();
  });

  test.each([
    ['nothing', ''],
    ['no PEM', 'no key'],
    ['an RSA key', generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey],
    ['an EC key', generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey],
    ['an X25519 key', generateKeyPairSync('x25519').publicKey],
  ])('a public key file with %s is no key', (_what, key) => {
    const pem = typeof key === 'string' ? key : key.export({ type: 'spki', format: 'pem' });
    fs.writeFileSync(actorLayout(room.layout, 'alice').publicKey, pem);
    const { keyId } = room.keyring.signerOf('alice');
    expect(reopen(room, 'ed25519').verifierOf('alice', keyId)).toBeUndefined();
  });
});

/** The same keys, read anew. */
function reopen({ layout, roomId }: SigningRoom, algorithm: Algorithm): Keyring {
  return openKeyring({ host: nodeHost, layout: roomLayout(layout.directory), roomId, algorithm });
}
