import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findFault, parseEnvelope, writeEnvelope } from '../../src/message/envelope.ts';
import { createIdSource, timeOfId } from '../../src/message/message-id.ts';
import type { Message, MessageLimits } from '../../src/message/message.ts';
import { checkProperty, sendableJson } from './property.ts';

const LIMITS: MessageLimits = { messageBytesMax: 256 * 1024, jsonDepthMax: 8 };
const ID = '019b7d31-5c00-7000-8000-000000000001';
const GOOD: Message = {
  room: 'room',
  id: ID,
  from: 'alice',
  to: ['bob'],
  type: 'INFO',
  sentAt: new Date(timeOfId(ID)).toISOString(),
  content: 'x',
};

/** The reason and detail with which an envelope of these fields is refused; undefined when it is accepted. */
function verdict(fields: Readonly<Record<string, unknown>>): string | undefined {
  const parsed = parseEnvelope(Buffer.from(JSON.stringify({ v: 1, ...GOOD, ...fields })), LIMITS.jsonDepthMax);
  return 'refusal' in parsed ? `${parsed.refusal.reason}: ${parsed.refusal.detail}` : undefined;
}

test('any message that can be sent comes back from its bytes', () => {
  const ids = createIdSource((length) => new Uint8Array(length));
  const time = fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true });
  const text = fc.string({ unit: 'grapheme' });
  const address = fc.constantFrom('alice', 'bob', 'team.reviewer', '0');
  const optional = fc.record(
    {
      data: sendableJson,
      threadId: fc.string({ minLength: 1, maxLength: 20 }),
      replyTo: time.map((at) => ids.next(at.getTime())),
      needsAck: fc.boolean(),
      expiresAt: time.map((at) => at.toISOString()),
    },
    { requiredKeys: [] },
  );
  const message = fc
    .record({
      at: time,
      room: fc.string({ minLength: 1, maxLength: 64 }),
      from: address,
      to: fc.oneof(fc.constant(['all']), fc.uniqueArray(address, { minLength: 1 })),
      type: fc.constantFrom('INFO', 'REVIEW-REQUEST', 'V2'),
      content: text,
      optional,
    })
    .map(({ at, optional: more, ...rest }): Message => {
      const id = createIdSource((length) => new Uint8Array(length)).next(at.getTime());
      return { ...rest, id, sentAt: at.toISOString(), ...more };
    });
  checkProperty(
    'messages',
    fc.property(message, (sent) => {
      const bytes = Buffer.from(writeEnvelope(sent));
      expect(parseEnvelope(bytes, LIMITS.jsonDepthMax)).toEqual({ message: JSON.parse(JSON.stringify(sent)) });
    }),
    { runs: 500 },
  );
});

test('what is found faultless before it is signed is what a reader accepts, with any fields', () => {
  const ids = ['x', ID, ID.toUpperCase(), '019b7d31-5c01-7000-8000-000000000001'];
  const words = fc.constantFrom('', 'a', 'alice', 'all', 'system', 'INFO', 'info', 'é', '\ud800', 'x'.repeat(201));
  const value = fc.oneof(
    words,
    fc.constantFrom(...ids, GOOD.sentAt, '2026-02-30T00:00:00.000Z', 1, true, null, undefined),
  );
  const list = fc.oneof(value, fc.array(words, { maxLength: 3 }));
  const names = [
    'room',
    'id',
    'from',
    'to',
    'type',
    'sentAt',
    'content',
    'threadId',
    'replyTo',
    'needsAck',
    'expiresAt',
  ];
  const changes = fc.array(fc.tuple(fc.constantFrom(...names, 'other'), list), { maxLength: 3 });
  const seen = { faultless: 0, faulty: 0 };
  const tried = checkProperty(
    'drafts',
    fc.property(changes, fc.option(fc.jsonValue(), { nil: undefined }), (changed, data) => {
      const message = { ...GOOD, ...Object.fromEntries(changed), ...(data === undefined ? {} : { data }) } as Message;
      const bytes = Buffer.from(writeEnvelope(message));
      const parsed = parseEnvelope(bytes, LIMITS.jsonDepthMax);
      seen['refusal' in parsed ? 'faulty' : 'faultless'] += 1;
      expect(findFault(message, bytes, LIMITS)).toEqual('refusal' in parsed ? parsed.refusal : undefined);
    }),
    { runs: 2_000 },
  );
  console.log(`drafts: ${seen.faultless} faultless, ${seen.faulty} faulty`);
  expect(Math.min(seen.faultless, seen.faulty)).toBeGreaterThan(0.15 * tried);
});

test.each([
  ['v', [0, -1, '1', true, null, 0.5, [1]]],
  ['room', ['', 'r'.repeat(65), 1, null]],
  ['id', ['', ID.toUpperCase(), `${ID} `, '019b7d31-5c00-4000-8000-000000000001', 1, null]],
  ['from', ['', 'all', 'Alice', '../a', 'a'.repeat(121), 1, null, ['alice']]],
  ['to', [[], 'bob', ['Bob'], ['bob', 'bob'], ['all', 'bob'], ['bob', 'all'], ['system'], [1], [['bob']], {}, null]],
  ['type', ['', 'info', 'INFO ', 'A'.repeat(65), 1, null]],
  ['content', [1, null, [], {}]],
  ['threadId', ['', 't'.repeat(201), 1, null]],
  ['replyTo', ['', 'x', ID.slice(1), null]],
  ['needsAck', ['true', 1, 0, null]],
  ['expiresAt', ['', '2026-01-01', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000+00:00', 1767225600000, null]],
  ['expiresAt', ['2026-02-30T00:00:00.000Z', '2026-01-01T24:00:00.000Z', '2026-13-01T00:00:00.000Z']],
  ['sentAt', ['', 'yesterday', null, 1, '2026-01-02T00:00:00.000Z', `${GOOD.sentAt} `]],
])('the field %s refuses %j', (name, values) => {
  for (const value of values) {
    expect(verdict({ [name]: value }), JSON.stringify(value)).toMatch(`bad-envelope: field "${name}": expected `);
  }
});

test('a time of another spelling than the one of its id is refused', () => {
  const sentAt = '2026-03-01T12:00:00.000Z';
  const id = createIdSource((length) => new Uint8Array(length)).next(Date.parse(sentAt));
  expect(verdict({ id, sentAt })).toBeUndefined();
  // To `Date.parse`, which counts on, both are in March.
  expect(verdict({ id, sentAt: '2026-02-29T12:00:00.000Z' })).toMatch('field "sentAt": expected an ISO 8601 time');
  expect(verdict({ expiresAt: '2026-02-28T24:00:00.000Z' })).toMatch('field "expiresAt": expected an ISO 8601 time');
});

test.each(['room', 'id', 'from', 'to', 'type', 'sentAt', 'content'])('without the field %s it is refused', (name) => {
  expect(verdict({ [name]: undefined })).toBe(`bad-envelope: field "${name}" is missing`);
});

test('an unknown field is refused, also one that every object has', () => {
  for (const name of ['body', 'V', 'constructor', 'toString', 'hasOwnProperty']) {
    expect(verdict({ [name]: 1 })).toBe(`bad-envelope: unknown field "${name}"`);
  }
});

test('a newer version says so before anything else is looked at', () => {
  expect(verdict({ v: 2, unknown: 1, to: undefined })).toMatch(/^newer-version: /);
  expect(verdict({ v: 1.5 })).toMatch(/^newer-version: /);
});

test.each([
  ['nothing', '', 'bad-json'],
  ['half of it', '{"v":1', 'bad-json'],
  ['two documents', '{}{}', 'bad-json'],
  ['a byte order mark', '\ufeff{"v":1}', 'bad-json'],
  ['a comment', '{"v":1/**/}', 'bad-json'],
  ['a comma too many', '{"v":1,}', 'bad-json'],
  ['a number that is none', '{"v":NaN}', 'bad-json'],
  ['a raw line feed in a string', '{"v":"\n"}', 'bad-json'],
  ['nesting beyond the limit', `{"v":1,"data":${'['.repeat(8)}${']'.repeat(8)}}`, 'bad-json'],
  ['nesting beyond any stack', '['.repeat(100_000), 'bad-json'],
  ['nesting beyond any stack, closed', '['.repeat(100_000) + ']'.repeat(100_000), 'bad-json'],
  ['a key twice', '{"v":1,"v":1}', 'bad-json'],
  ['a list', '[]', 'bad-envelope'],
  ['text', '"v"', 'bad-envelope'],
  ['null', 'null', 'bad-envelope'],
])('%s is refused', (_what, text, reason) => {
  expect(parseEnvelope(Buffer.from(text), LIMITS.jsonDepthMax)).toMatchObject({ refusal: { reason } });
});

test.each([
  ['a stray continuation', [0x22, 0x80, 0x22]],
  ['a character cut off', [0x22, 0xe2, 0x82, 0x22]],
  ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
  ['half a pair', [0x22, 0xed, 0xa0, 0x80, 0x22]],
  ['a code point beyond the last', [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22]],
])('%s is no UTF-8 and is refused', (_what, bytes) => {
  expect(parseEnvelope(Buffer.from(bytes), LIMITS.jsonDepthMax)).toMatchObject({ refusal: { reason: 'bad-encoding' } });
});
