import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isHex } from '../../src/host/hex.ts';
import { frame, unframe } from '../../src/message/envelope.ts';
import { isoTime } from '../../src/message/format-time.ts';
import { isMessageId } from '../../src/message/message-id.ts';
import { isPlain } from '../../src/visible.ts';
import { checkProperty } from './property.ts';

// What is looked at by hand, so that no expression is compiled for it, beside the expression that says what is meant.
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const REST = /^,"signature":\{"keyId":"([0-9a-f]{16})","value":"((?:[0-9a-f]{64}){1,2})"\}\}$/;
const CHARS = [
  '0',
  '7',
  '8',
  '9',
  'a',
  'b',
  'c',
  'f',
  'g',
  'A',
  'F',
  '-',
  ',',
  '"',
  '}',
  '/',
  ':',
  '`',
  ' ',
  '\n',
  'é',
];

/** The text with some of its characters replaced, or with one more or fewer. */
function changed(text: string): fc.Arbitrary<string> {
  const change = fc.record({
    at: fc.nat(text.length),
    char: fc.constantFrom(...CHARS),
    gone: fc.constantFrom(1, 1, 1, 0, 2),
  });
  return fc
    .array(change, { maxLength: 3 })
    .map((changes) =>
      changes.reduce((left, { at, char, gone }) => left.slice(0, at) + char + left.slice(at + gone), text),
    );
}

test('an id is what the expression accepts', () => {
  let accepted = 0;
  checkProperty(
    'ids',
    fc.property(changed('0190a3f2-7c4e-7abc-8def-0123456789ab'), (id) => {
      accepted += Number(ID.test(id));
      expect(isMessageId(id), id).toBe(ID.test(id));
    }),
    { runs: 1_000 },
  );
  expect(accepted).toBeGreaterThan(0);
});

test('hex digits are those in lower case, and all of them must be there', () => {
  checkProperty(
    'hex digits',
    fc.property(changed('0123456789abcdef'), fc.nat(18), fc.nat(18), (text, from, to) => {
      const part = text.slice(from, to);
      expect(isHex(text, from, to)).toBe(to <= text.length && /^[0-9a-f]*$/.test(part) && !part.endsWith('\n'));
    }),
    { runs: 1_000 },
  );
});

test('a signature is what the expression accepts', () => {
  const keyId = '0123456789abcdef';
  const divided = ',"signature":';
  for (const value of [keyId.repeat(4), keyId.repeat(8)]) {
    const whole = frame(Buffer.from('{}'), { keyId, value }).toString();
    checkProperty(
      `signatures of ${value.length} digits`,
      fc.property(changed(whole.slice('{"signed":{}'.length + divided.length)), (rest) => {
        const [, found, digits] = REST.exec(divided + rest) ?? [];
        const read = unframe(Buffer.from(`{"signed":{}${divided}${rest}`, 'latin1'));
        expect({ keyId: read?.keyId, value: read?.value }).toEqual({ keyId: found, value: digits });
      }),
      { runs: 1_000 },
    );
  }
});

test('a time is written as the language writes it', () => {
  const yearsMs = 400 * 366 * 86_400_000;
  const times = fc.oneof(fc.integer({ min: 0, max: 2 ** 42 }), fc.integer({ min: -30 * yearsMs, max: 25 * yearsMs }));
  checkProperty(
    'times',
    fc.property(times, (timeMs) => {
      expect(isoTime(timeMs)).toBe(new Date(timeMs).toISOString());
    }),
    { runs: 1_000 },
  );
  for (const edge of [
    0, -1, 253_402_300_799_999, 253_402_300_800_000, -62_167_219_200_000, -62_167_219_200_001, 8.64e15,
  ]) {
    expect(isoTime(edge)).toBe(new Date(edge).toISOString());
  }
  for (const none of [Number.NaN, Infinity, 8.64e15 + 1]) expect(() => isoTime(none)).toThrow(RangeError);
});

test('a text is plain if the expression finds nothing else in it', () => {
  const text = fc.string({
    unit: fc.constantFrom(' ', '~', 'a', '…', '→', '\n', '\t', '\r', '\0', '\u007f', 'é', '\u2027'),
  });
  checkProperty(
    'plain texts',
    fc.property(text, (candidate) => {
      expect(isPlain(candidate)).toBe(!/[^ -~…→]/.test(candidate));
      expect(isPlain(candidate, { lines: true })).toBe(!/[^ -~…→\n\t]/.test(candidate));
    }),
    { runs: 1_000 },
  );
});
