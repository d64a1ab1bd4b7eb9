import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InvalidInput } from '../../src/errors.ts';
import { ADDRESS_CHARS_MAX, assertAddress, isAddress } from '../../src/message/address.ts';
import { roomLayout, actorLayout } from '../../src/message/layout.ts';
import { checkProperty } from './property.ts';

const LONGEST = 'a'.repeat(ADDRESS_CHARS_MAX);
const ADDRESSES = ['a', '0', 'agent-1', 'a_b', 'a--b', 'a-', 'team.reviewer', '1.2.3', 'constructor', LONGEST];
const RESERVED = ['all', 'system'];
const NO_ADDRESSES = [
  ['', '.', '..', 'a.', '.a', 'a..b', '-a', '_a', 'a.-b', 'a._b', '__proto__'],
  ['A', 'Agent', 'ä', 'а', '１', 'a b', ' a', 'a ', 'a\n', '\na', 'a\0', 'a\u2028', 'a\u202eb', '🙂'],
  ['a/b', '/a', 'a/', '../a', 'a\\b', 'c:', 'a,b', 'a@b', '~', '%2e%2e', 'a*', `${LONGEST}a`, 'a.'.repeat(60) + 'a'],
].flat();

test.each(ADDRESSES)('%j is an address', (text) => {
  expect(isAddress(text)).toBe(true);
  expect(() => assertAddress(text)).not.toThrow();
});

test.each(RESERVED)('%j has the form of an address, and no actor can have it', (text) => {
  expect(isAddress(text)).toBe(true);
  expect(() => assertAddress(text)).toThrow(InvalidInput);
});

test.each(NO_ADDRESSES)('%j is no address, and names no path', (text) => {
  expect(isAddress(text)).toBe(false);
  expect(() => assertAddress(text)).toThrow(InvalidInput);
  expect(() => actorLayout(roomLayout('/room'), text)).toThrow(InvalidInput);
});

test('an address is exactly what a machine of three states accepts', () => {
  const chars = fc.constantFrom('a', 'z', '0', '9', '_', '-', '.', 'A', 'Z', '/', ' ', '\n', '\0', 'é');
  const text = fc.array(chars, { maxLength: ADDRESS_CHARS_MAX + 3 }).map((parts) => parts.join(''));
  checkProperty(
    'addresses',
    fc.property(fc.oneof(text, fc.string({ unit: 'grapheme' })), (candidate) => {
      expect(isAddress(candidate)).toBe(accepts(candidate));
    }),
    { runs: 800 },
  );
});

/** The grammar read character by character: a part begins with a letter or digit; a dot may only be between parts. */
function accepts(text: string): boolean {
  let isPartEmpty = true;
  for (const char of text) {
    const isWord = (char >= 'a' && char <= 'z') || (char >= '0' && char <= '9');
    if (char === '.' || char === '-' || char === '_') {
      if (isPartEmpty) return false;
      if (char === '.') isPartEmpty = true;
    } else if (isWord) {
      isPartEmpty = false;
    } else {
      return false;
    }
  }
  return !isPartEmpty && text.length <= 120;
}
