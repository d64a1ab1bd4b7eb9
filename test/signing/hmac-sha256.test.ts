import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hmacSha256 } from '../../src/signing/keys.ts';
import { checkProperty } from '../message/property.ts';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

test.each([
  ['1', '0b'.repeat(20), '4869205468657265', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  [
    '2',
    '4a656665',
    '7768617420646f2079612077616e7420666f72206e6f7468696e673f',
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  ['3', 'aa'.repeat(20), 'dd'.repeat(50), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
])('it gives what test case %s of RFC 4231 expects', (_, key, data, expected) => {
  expect(hmacSha256(hex(key), Buffer.alloc(0))(hex(data)).toString('hex')).toBe(expected);
});

test('it is the HMAC of node:crypto, for every key, tag and length', () => {
  const bytes = (max: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength: max });
  checkProperty(
    'hmac-sha256',
    fc.property(bytes(130), bytes(40), bytes(300), (key, tag, data) => {
      const expected = createHmac('sha256', key).update(tag).update(data).digest('hex');
      expect(hmacSha256(key, tag)(data).toString('hex')).toBe(expected);
    }),
    { runs: 500 },
  );
});
