import { createHmac, createPublicKey } from 'node:crypto';
import fs from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MessageRefused } from '../../src/errors.ts';
import { frame, unframe, writeEnvelope } from '../../src/message/envelope.ts';
import { actorLayout, messageFileName } from '../../src/message/layout.ts';
import { createIdSource } from '../../src/message/message-id.ts';
import type { Message } from '../../src/message/message.ts';
import type { Algorithm } from '../../src/signing/keys.ts';
import { sealMessage, type OpenResult, type SealedMessage } from '../../src/signing/seal.ts';
import { checkProperty, sendableJson } from '../message/property.ts';
import { createSigningRoom, LIMITS, type SigningRoom } from './signing-room.ts';

const ALGORITHMS = ['hmac-sha256', 'ed25519'] as const;

describe.each(ALGORITHMS)('%s', (algorithm) => {
  let room: SigningRoom;
  let other: SigningRoom;
  beforeAll(async () => {
    room = await createSigningRoom(algorithm);
    other = await createSigningRoom(algorithm);
  });
  afterAll(() => {
    room.remove();
    other.remove();
  });

  const seal = (fields: Partial<Message> = {}): SealedMessage => {
    const message = room.messageOf(fields);
    return sealMessage(message, { key: room.keyring.signerOf(message.from), limits: LIMITS });
  };
  const open = ({ name, bytes }: { name: string; bytes: Buffer }, reader = 'bob'): OpenResult =>
    room.openerOf(reader).open(name, bytes);
  /** A file with a true signature of a sender over whatever the fields say. */
  const signed = (fields: object, signer = 'alice'): { name: string; bytes: Buffer } => {
    const message = { ...room.messageOf(), ...fields };
    const bytes = Buffer.from(writeEnvelope(message));
    return { name: messageFileName(message), bytes: frame(bytes, room.keyring.signerOf(signer).sign(bytes)) };
  };

  const refused = (file: { name: string; bytes: Buffer }, reader = 'bob'): string | undefined => {
    const opened = open(file, reader);
    return 'refusal' in opened ? opened.refusal.reason : undefined;
  };

  test('what is sealed is opened as it was, whatever it says', () => {
    const fields = fc.record({
      content: fc.string({ unit: 'grapheme' }),
      data: sendableJson,
      threadId: fc.constantFrom('t', ',"signature":', '"}}'),
    });
    checkProperty(
      `${algorithm} messages`,
      fc.property(fields, (given) => {
        const sealed = seal(given);
        expect(open(sealed)).toEqual({ message: JSON.parse(JSON.stringify(sealed.message)), signed: sealed.signed });
      }),
      { runs: 200 },
    );
  });

  test('a message with a signature inside it is verified by its own', () => {
    const inner = seal();
    const data = JSON.parse(inner.bytes.toString()) as object;
    const sealed = seal({ content: inner.bytes.toString(), data: { ...data, signed: 1 } });
    expect(sealed.bytes.toString().split(',"signature":').length).toBe(3);
    expect(open(sealed)).toEqual({ message: sealed.message, signed: sealed.signed });
  });

  test('with any one bit changed it is refused', () => {
    const sealed = seal({ content: 'pay 10 to carol', data: { n: 1 } });
    const reasons = new Map<string, number>();
    for (let at = 0; at < sealed.bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const bytes = Buffer.from(sealed.bytes);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        const opened = open({ name: sealed.name, bytes });
        expect(opened, `bit ${bit} of byte ${at}`).toHaveProperty('refusal');
        const reason = 'refusal' in opened ? opened.refusal.reason : '';
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
    }
    console.log(`${algorithm}: ${sealed.bytes.length} bytes, each bit changed`, Object.fromEntries(reasons));
    expect([...reasons.keys()].sort()).toEqual(['bad-frame', 'bad-signature', 'unknown-key']);
  });

  test('cut off anywhere, or with something added, it is refused', () => {
    const { name, bytes } = seal();
    for (let length = 0; length < bytes.length; length++) {
      expect(open({ name, bytes: bytes.subarray(0, length) })).toMatchObject({ refusal: { reason: 'bad-frame' } });
    }
    for (let length = 1; length < bytes.length; length++) {
      expect(open({ name, bytes: bytes.subarray(length) })).toMatchObject({ refusal: { reason: 'bad-frame' } });
    }
    for (const more of ['\n', ' ', '\0', '}', bytes.toString()]) {
      const longer = Buffer.concat([bytes, Buffer.from(more)]);
      expect(open({ name, bytes: longer })).toHaveProperty('refusal');
    }
    console.log(`${algorithm}: ${bytes.length} beginnings and ${bytes.length - 1} ends`);
  });

  test('under any one other character in its name it is refused', () => {
    const { name, bytes } = seal();
    let tried = 0;
    for (let at = 0; at < name.length; at++) {
      for (const char of ['0', 'a', 'f', 'z', 'A', '.', '-', ',', '\n', '\u0131']) {
        if (name[at] === char) continue;
        const opened = open({ name: name.slice(0, at) + char + name.slice(at + 1), bytes });
        expect(opened, `${char} at ${at}`).toHaveProperty('refusal');
        tried += 1;
      }
    }
    console.log(`${algorithm}: ${tried} other names`);
  });

  test('the key is the one of the sender in the name', () => {
    const { bytes } = seal();
    const name = (from: string): string => messageFileName({ id: room.messageOf().id, from });
    for (const from of ['bob', 'carol', 'nobody', 'system', 'all']) {
      expect(open({ name: name(from), bytes }), from).toMatchObject({ refusal: { reason: 'unknown-key' } });
    }
  });

  test('another actor of the room cannot sign as the sender', () => {
    const bytes = Buffer.from(writeEnvelope(room.messageOf()));
    const name = messageFileName(room.messageOf());
    const carol = room.keyring.signerOf('carol').sign(bytes);
    const { keyId } = room.keyring.signerOf('alice');
    expect(open({ name, bytes: frame(bytes, carol) })).toMatchObject({ refusal: { reason: 'unknown-key' } });
    expect(open({ name, bytes: frame(bytes, { ...carol, keyId }) })).toMatchObject({
      refusal: { reason: 'bad-signature' },
    });
  });

  test('the same actor of another room cannot sign here', () => {
    const message = room.messageOf();
    const bytes = Buffer.from(writeEnvelope(message));
    const there = other.keyring.signerOf('alice').sign(bytes);
    const { keyId } = room.keyring.signerOf('alice');
    const name = messageFileName(message);
    expect(open({ name, bytes: frame(bytes, there) })).toMatchObject({ refusal: { reason: 'unknown-key' } });
    expect(open({ name, bytes: frame(bytes, { ...there, keyId }) })).toMatchObject({
      refusal: { reason: 'bad-signature' },
    });
  });

  test('a true signature helps no message into another mailbox, room, name or time', () => {
    expect(refused(seal(), 'carol')).toBe('wrong-recipient');
    expect(refused(seal({ to: ['all'] }), 'alice')).toBe('wrong-recipient');
    expect(refused(seal({ to: ['all'] }), 'bob')).toBeUndefined();
    expect(refused(seal({ to: ['alice'] }), 'alice')).toBeUndefined();
    expect(refused(signed({ room: 'room-2' }))).toBe('wrong-room');
    expect(refused({ ...seal(), name: seal().name })).toBe('wrong-name');
    expect(refused(signed({ from: 'carol' }, 'carol'))).toBeUndefined();
    expect(refused({ ...signed({ from: 'carol' }), name: seal().name })).toBe('wrong-name');
    const ofAnyTime = { id: createIdSource(() => Buffer.alloc(10)).next(Date.parse('9999-12-31T23:59:59.999Z')) };
    expect(refused(seal(ofAnyTime)), 'a wrong clock passes').toBeUndefined();
    expect(refused(signed({ v: 1, id: 'x' }))).toBe('bad-name');
    expect(refused(signed({ content: 7 }))).toBe('bad-envelope');
  });

  test('what no recipient would accept is not sealed', () => {
    const sealing = (fields: object): unknown => {
      try {
        return seal(fields);
      } catch (error) {
        return error instanceof MessageRefused ? error.reason : error;
      }
    };
    expect(sealing({ content: 'x'.repeat(LIMITS.messageBytesMax) })).toBe('too-large');
    expect(sealing({ content: '\ud800' })).toBe('bad-json');
    expect(sealing({ data: new Date(0) })).toBe('bad-json');
    expect(sealing({ data: JSON.parse('{"__proto__":1}') as unknown })).toBe('bad-json');
    expect(sealing({ type: 'info' })).toBe('bad-envelope');
    expect(sealing({ to: [] })).toBe('bad-envelope');
    expect(sealing({ expiresAt: 'tomorrow' })).toBe('bad-envelope');
  });

  test('a message of exactly the limit is sealed and opened, one byte more is not sealed', () => {
    const empty = seal({ content: '' }).bytes.length;
    const most = seal({ content: 'x'.repeat(LIMITS.messageBytesMax - empty) });
    expect(most.bytes.length).toBe(LIMITS.messageBytesMax);
    expect(open(most)).toHaveProperty('message');
    expect(() => seal({ content: 'x'.repeat(LIMITS.messageBytesMax - empty + 1) })).toThrow(MessageRefused);
  });
});

describe('one algorithm for the other', () => {
  const rooms = new Map<Algorithm, SigningRoom>();
  const roomOf = (algorithm: Algorithm): SigningRoom => {
    const room = rooms.get(algorithm);
    if (!room) throw new Error(`there is no room of ${algorithm}`);
    return room;
  };
  beforeAll(async () => {
    for (const algorithm of ALGORITHMS) rooms.set(algorithm, await createSigningRoom(algorithm));
  });
  afterAll(() => {
    for (const room of rooms.values()) room.remove();
  });

  test.each([
    { here: 'hmac-sha256', there: 'ed25519' },
    { here: 'ed25519', there: 'hmac-sha256' },
  ] as const)('a room of $here believes no signature of $there, under whatever key id', ({ here, there }) => {
    const room = roomOf(here);
    const message = room.messageOf();
    const bytes = Buffer.from(writeEnvelope(message));
    const foreign = roomOf(there).keyring.signerOf('alice').sign(bytes);
    const { keyId } = room.keyring.signerOf('alice');
    for (const [signature, reason] of [
      [foreign, 'unknown-key'],
      [{ ...foreign, keyId }, 'bad-signature'],
    ] as const) {
      const file = frame(bytes, signature);
      expect(unframe(file)).toBeDefined();
      expect(room.openerOf('bob').open(messageFileName(message), file)).toMatchObject({ refusal: { reason } });
    }
  });

  test('the public key, which everybody can read, is no HMAC key', () => {
    const room = roomOf('ed25519');
    const message = room.messageOf();
    const bytes = Buffer.from(writeEnvelope(message));
    const { keyId } = room.keyring.signerOf('alice');
    const pem = fs.readFileSync(actorLayout(room.layout, 'alice').publicKey);
    const der = createPublicKey(pem).export({ type: 'spki', format: 'der' });
    for (const secret of [pem, der, der.subarray(-32)]) {
      const mac = createHmac('sha256', secret).update('mailroom/message/v1\n').update(bytes).digest('hex');
      for (const value of [mac, mac + mac]) {
        expect(room.openerOf('bob').open(messageFileName(message), frame(bytes, { keyId, value }))).toMatchObject({
          refusal: { reason: 'bad-signature' },
        });
      }
    }
  });
});
