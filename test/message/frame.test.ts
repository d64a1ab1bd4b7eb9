import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frame, unframe } from '../../src/message/envelope.ts';
import { anyCharacter, checkProperty } from './property.ts';

const hex = (digits: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: digits / 2, maxLength: digits / 2 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const signature = fc.record({ keyId: hex(16), value: fc.oneof(hex(64), hex(128)) });
const KEY_ID = '0123456789abcdef';
const VALUE = 'ab'.repeat(32);

/** What somebody would write into a message to have it divided in another place. */
const TRAPS = [
  ',"signature":',
  `,"signature":{"keyId":"${KEY_ID}","value":"${VALUE}"}}`,
  `{"a":1,"signature":{"keyId":"${KEY_ID}","value":"${VALUE}"}}`,
  '{"signed":',
  '}}',
  '"',
  '\\',
  '\0',
  '\ud83d\ude42',
];

test('what is framed comes back, whatever the signed bytes are', () => {
  const piece = fc.oneof(fc.constantFrom(...TRAPS), fc.string({ unit: anyCharacter, maxLength: 20 }));
  const pieces = fc.array(piece, { maxLength: 8 }).map((all) => Buffer.from(all.join('')));
  const bytes = fc.uint8Array({ maxLength: 60 }).map((all) => Buffer.from(all));
  checkProperty(
    'frames',
    fc.property(fc.oneof(pieces, bytes), signature, (signed, given) => {
      expect(unframe(frame(signed, given))).toEqual({ signed, ...given });
    }),
    { runs: 800 },
  );
});

test('a framed JSON document is a JSON document', () => {
  checkProperty(
    'framed documents',
    fc.property(fc.jsonValue(), signature, (signed, given) => {
      const file = frame(Buffer.from(JSON.stringify(signed)), given).toString();
      expect(JSON.parse(file)).toEqual({ signed: JSON.parse(JSON.stringify(signed)), signature: given });
    }),
    { runs: 300 },
  );
});

test('a document with a signature inside its data is divided at the last one', () => {
  const signed = `{"data":{"a":1,"signature":{"keyId":"${KEY_ID}","value":"${VALUE}"}}}`;
  const framed = unframe(frame(Buffer.from(signed), { keyId: 'f'.repeat(16), value: '0'.repeat(64) }));
  expect(framed).toMatchObject({ keyId: 'f'.repeat(16), value: '0'.repeat(64) });
  expect(framed?.signed.toString()).toBe(signed);
});

const GOOD = `{"signed":{},"signature":{"keyId":"${KEY_ID}","value":"${VALUE}"}}`;

test.each([
  ['nothing', ''],
  ['only the beginning', '{"signed":'],
  ['no signature', '{"signed":{}}'],
  ['a space after the first brace', GOOD.replace('{"s', '{ "s')],
  ['a space before the signature', GOOD.replace(',"signature', ', "signature')],
  ['a space within the signature', GOOD.replace(',"value', ', "value')],
  ['a line feed at the end', `${GOOD}\n`],
  ['a space at the end', `${GOOD} `],
  ['a byte order mark', `\ufeff${GOOD}`],
  ['a capital in the key id', GOOD.replace('abcdef"', 'ABCDEF"')],
  ['a capital in the value', GOOD.replace('abab', 'ABab')],
  ['a key id of 15 digits', GOOD.replace(KEY_ID, KEY_ID.slice(1))],
  ['a key id of 17 digits', GOOD.replace(KEY_ID, `${KEY_ID}0`)],
  ['a value of 63 digits', GOOD.replace(VALUE, VALUE.slice(1))],
  ['a value of 96 digits', GOOD.replace(VALUE, VALUE.slice(32) + VALUE)],
  ['a value of 192 digits', GOOD.replace(VALUE, VALUE.repeat(3))],
  ['no value', GOOD.replace(VALUE, '')],
  ['the value before the key id', `{"signed":{},"signature":{"value":"${VALUE}","keyId":"${KEY_ID}"}}`],
  ['a third field', GOOD.replace('"}}', '","alg":"none"}}')],
  ['a field after the signature', GOOD.replace('"}}', '"},"signed":{}}')],
  ['the signature first', `{"signature":{"keyId":"${KEY_ID}","value":"${VALUE}"},"signed":{}}`],
  ['something before it', ` ${GOOD}`],
  ['another message behind it', GOOD + GOOD.slice(0, -1)],
])('a file with %s is no frame', (_what, file) => {
  expect(unframe(Buffer.from(file))).toBeUndefined();
});

test('the good file of this test is a frame, and each beginning of it is none', () => {
  expect(unframe(Buffer.from(GOOD))?.signed.toString()).toBe('{}');
  for (let length = 0; length < GOOD.length; length++) {
    expect(unframe(Buffer.from(GOOD.slice(0, length))), `${length} bytes`).toBeUndefined();
  }
});
