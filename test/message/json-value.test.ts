import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findNonJson } from '../../src/message/json-value.ts';
import { checkProperty } from './property.ts';

test.each([
  { what: 'nothing at all', value: undefined, path: '$' },
  { what: 'a function', value: () => 1, path: '$' },
  { what: 'a symbol', value: Symbol('a'), path: '$' },
  { what: 'a bigint', value: 1n, path: '$' },
  { what: 'not a number', value: Number.NaN, path: '$' },
  { what: 'an infinite number', value: { a: Infinity }, path: '$.a' },
  { what: 'a date, deep inside', value: { tasks: [{}, {}, { due: new Date(0) }] }, path: '$.tasks[2].due' },
  { what: 'undefined in an array', value: [1, undefined], path: '$[1]' },
  { what: 'a map', value: { a: new Map() }, path: '$.a' },
  { what: 'a set', value: { a: new Set() }, path: '$.a' },
  { what: 'an error', value: new Error('lost'), path: '$' },
  { what: 'a regular expression', value: /a/, path: '$' },
  { what: 'bytes', value: { a: Buffer.from('a') }, path: '$.a' },
  { what: 'a boxed string', value: { a: Object('text') as unknown }, path: '$.a' },
  { what: 'a value that says its own JSON', value: { a: { toJSON: () => 1 } }, path: '$.a' },
  { what: 'inherited properties', value: Object.create({ inherited: 1 }) as unknown, path: '$' },
])('$what would not come back; it is found at $path', ({ value, path }) => {
  expect(findNonJson(value)).toBe(path);
});

test('a cycle is found, and so is nesting without end', () => {
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  expect(findNonJson(cycle)).toMatch(/\(nested without end\)$/);
});

test('a property that is undefined is left out, as JSON does', () => {
  expect(findNonJson({ a: undefined, b: 1 })).toBeUndefined();
});

test('every JSON value is found sound', () => {
  checkProperty(
    'JSON values',
    fc.property(fc.jsonValue(), (value) => {
      expect(findNonJson(value)).toBeUndefined();
    }),
    { runs: 500 },
  );
});

test('what is found sound comes back from JSON as it went in', () => {
  const anything = fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
  });
  const seen = { sound: 0, faulty: 0 };
  const tried = checkProperty(
    'any values',
    fc.property(anything, (value) => {
      const isSound = findNonJson(value) === undefined;
      seen[isSound ? 'sound' : 'faulty'] += 1;
      const came: unknown = isSound ? JSON.parse(JSON.stringify(value)) : undefined;
      expect(came).toEqual(isSound ? withoutNegativeZero(value) : undefined);
    }),
    { runs: 2_000 },
  );
  console.log(`values: ${seen.sound} found sound, ${seen.faulty} not`);
  expect(Math.min(seen.sound, seen.faulty)).toBeGreaterThan(tried / 20);
});

/** JSON knows no -0; `toEqual` already takes a missing property for an undefined one. */
function withoutNegativeZero(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(withoutNegativeZero);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withoutNegativeZero(part)]));
}
