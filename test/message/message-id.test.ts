import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createIdSource, dayOfId, isMessageId, timeOfId } from '../../src/message/message-id.ts';
import { checkProperty } from './property.ts';
import { createRandom } from '../run/seed.ts';

const random = createRandom();

const randomBytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => Math.floor(random() * 256));

test('ids rise strictly, whatever the clock does, and carry the time asked for while it rises', () => {
  const steps = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: -5_000, max: 5_000 })), {
    minLength: 20,
    maxLength: 200,
    size: 'max',
  });
  let made = 0;
  checkProperty(
    'ids',
    fc.property(fc.integer({ min: 0, max: 2 ** 44 }), steps, (startMs, deltas) => {
      const source = createIdSource(randomBytes);
      let nowMs = startMs;
      let before = '';
      let latestMs = -1;
      for (const delta of [0, ...deltas]) {
        nowMs = Math.max(0, nowMs + delta);
        const id = source.next(nowMs);
        latestMs = Math.max(latestMs, nowMs);
        expect(isMessageId(id)).toBe(true);
        expect(id > before, `${id} after ${before}`).toBe(true);
        expect(timeOfId(id)).toBe(latestMs);
        before = id;
        made += 1;
      }
    }),
    { runs: 300 },
  );
  console.log(`ids made: ${made}`);
});

test('twenty thousand ids of one ms differ and are in order', () => {
  const source = createIdSource(randomBytes);
  const ids = Array.from({ length: 20_000 }, () => source.next(1_700_000_000_000));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids.map(timeOfId))).toEqual(new Set([1_700_000_000_000]));
});

test('two sources do not make the same id of one ms', () => {
  const ids = Array.from({ length: 1_000 }, () => createIdSource(randomBytes).next(1_700_000_000_000));
  expect(new Set(ids).size).toBe(ids.length);
});

test.each([0x00, 0xff])('random bytes that are all %d still give a UUIDv7', (byte) => {
  const source = createIdSource((length) => new Uint8Array(length).fill(byte));
  for (let count = 0; count < 100; count++) expect(isMessageId(source.next(1))).toBe(true);
});

test('the example of RFC 9562, appendix A.6, has the time that the RFC says', () => {
  const id = '017f22e2-79b0-7cc3-98c4-dc0c0c07398f';
  expect(isMessageId(id)).toBe(true);
  expect(timeOfId(id)).toBe(Date.parse('2022-02-22T14:22:22.000-05:00'));
  expect(dayOfId(id)).toBe('2022-02-22');
});

test.each([
  ['', 'nothing'],
  ['017f22e2-79b0-4cc3-98c4-dc0c0c07398f', 'version 4'],
  ['017f22e2-79b0-7cc3-18c4-dc0c0c07398f', 'another variant'],
  ['017f22e2-79b0-7cc3-c8c4-dc0c0c07398f', 'another variant'],
  ['017F22E2-79B0-7CC3-98C4-DC0C0C07398F', 'capitals'],
  ['{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}', 'braces'],
  ['017f22e279b07cc398c4dc0c0c07398f', 'no hyphens'],
  ['017f22e2-79b0-7cc3-98c4-dc0c0c07398', 'one digit less'],
  ['017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n', 'a line feed behind it'],
])('%j is not a message id: %s', (text) => {
  expect(isMessageId(text)).toBe(false);
});

test('a day changes at midnight UTC', () => {
  const source = createIdSource(randomBytes);
  const midnight = Date.parse('2026-03-01T00:00:00.000Z');
  expect(dayOfId(source.next(midnight - 1))).toBe('2026-02-28');
  expect(dayOfId(source.next(midnight))).toBe('2026-03-01');
});
