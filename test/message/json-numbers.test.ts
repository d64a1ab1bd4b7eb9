import fc from 'fast-check';
import { expect, it } from 'vitest';
import { findInexactNumber } from '../../src/message/exact-data.ts';
import { checkProperty } from './property.ts';

it.each([
  ['9007199254740993', '9007199254740992 in JavaScript'],
  ['12345678901234567890', 'its last digits become zeros'],
  ['-12345678901234567890.5', 'the same with a sign and a fraction'],
  ['0.1000000000000000055511151231257827', 'comes back as 0.1'],
  ['1e400', 'beyond all doubles'],
  ['-1e-400', 'comes back as 0'],
  ['1.00000000000000000000001', 'comes back as 1'],
])('finds %s: %s', (number) => {
  expect(findInexactNumber(number)).toBe(number);
  expect(findInexactNumber(`{"a":["12345678901234567890",1,{"b":${number}}]}`)).toBe(number);
});

it.each([
  '0',
  '-0',
  '0.1',
  '9007199254740992',
  '1e21',
  '1E+2',
  '100000000000000000000000',
  '0.30000000000000004',
  '1.7976931348623157e308',
  '5e-324',
  '1.5000000000000000000000000',
  '"12345678901234567890"',
  '{"9007199254740993":"\\"9007199254740993"}',
  'null',
])('lets %s pass, which comes back as it is', (json) => {
  expect(findInexactNumber(json)).toBeUndefined();
});

it('lets every double pass as JavaScript writes it, and finds whole numbers beside it', () => {
  checkProperty(
    'doubles',
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(findInexactNumber(JSON.stringify([value]))).toBeUndefined();
    }),
    { runs: 1000 },
  );
  checkProperty(
    'whole numbers',
    fc.property(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), (value) => {
      // Also what a double holds may be written with other digits, 2 ** 70 for one.
      const isSame = numberWithZeros(String(Number(value))) === String(value);
      expect(findInexactNumber(String(value)) === undefined).toBe(isSame);
    }),
    { runs: 1000 },
  );
});

/** `1.2e+21` as a whole number's digits. */
function numberWithZeros(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e\+(\d+))?$/.exec(text) ?? [];
  return `${sign}${whole}${fraction}${'0'.repeat(Number(exponent) - fraction.length)}`;
}

it('gets through a long text', () => {
  expect(findInexactNumber(`[${'0'.repeat(1)}.${'0'.repeat(500_000)}1]`)).toBeDefined();
  expect(findInexactNumber(`["${'\\"'.repeat(250_000)}",${'1'.repeat(100_000)}]`)).toBeDefined();
});
