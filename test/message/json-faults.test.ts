import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findJsonFault } from '../../src/message/json-faults.ts';
import { anyCharacter, checkProperty } from './property.ts';

const DEPTH_MAX = 6;

/** A JSON document before it is written: objects may have a key twice. */
type Doc =
  | { readonly kind: 'scalar'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'array'; readonly items: readonly Doc[] }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [string, Doc])[] };

const text = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', '__proto__', 'é', '"', '\\', '{', '[', ']', '}', ',', ':', '🙂') },
  { weight: 1, arbitrary: fc.constantFrom('\ud83d', '\ude42', '\ude42\ud83d', '\\ud83d', '\\"', '\\\\"', '') },
  { weight: 1, arbitrary: fc.string({ unit: anyCharacter, maxLength: 6 }) },
);
const { doc } = fc.letrec<{ doc: Doc }>((tie) => ({
  doc: fc.oneof(
    { maxDepth: DEPTH_MAX + 2, depthSize: 'medium' },
    fc.constantFrom('0', '-1.5e3', 'true', 'null').map((scalar): Doc => ({ kind: 'scalar', text: scalar })),
    text.map((value): Doc => ({ kind: 'string', value })),
    fc.array(tie('doc'), { maxLength: 4 }).map((items): Doc => ({ kind: 'array', items })),
    fc.array(fc.tuple(text, tie('doc')), { maxLength: 5 }).map((entries): Doc => ({ kind: 'object', entries })),
  ),
}));

test('finds a fault exactly where the document has one, however it is written', () => {
  const seen = { faulty: 0, sound: 0 };
  const tried = checkProperty(
    'JSON documents',
    fc.property(doc, fc.array(fc.nat(), { minLength: 1, maxLength: 40 }), (document, choices) => {
      const written = write(document, choicesFrom(choices));
      JSON.parse(written);
      const isFaulty = hasFault(document, 0);
      seen[isFaulty ? 'faulty' : 'sound'] += 1;
      expect(findJsonFault(written, DEPTH_MAX) !== undefined, written).toBe(isFaulty);
    }),
    { runs: 5_000 },
  );
  console.log(`documents: ${seen.faulty} with a fault, ${seen.sound} without`);
  expect(Math.min(seen.faulty, seen.sound)).toBeGreaterThan(tried / 25);
});

function hasFault(document: Doc, depth: number): boolean {
  switch (document.kind) {
    case 'scalar':
      return false;
    case 'string':
      return !document.value.isWellFormed();
    case 'array':
      return depth === DEPTH_MAX || document.items.some((item) => hasFault(item, depth + 1));
    default: {
      const keys = document.entries.map(([key]) => key);
      const isAmbiguous = new Set(keys).size < keys.length || keys.includes('__proto__');
      const isBroken = keys.some((key) => !key.isWellFormed());
      return depth === DEPTH_MAX || isAmbiguous || isBroken || document.entries.some(([, v]) => hasFault(v, depth + 1));
    }
  }
}

type Choose = (count: number) => number;

function choicesFrom(numbers: readonly number[]): Choose {
  let at = 0;
  return (count) => (numbers[at++ % numbers.length] ?? 0) % count;
}

function write(document: Doc, choose: Choose): string {
  const space = (): string => ['', '', ' ', '\n\t ', '\r\n'][choose(5)] ?? '';
  switch (document.kind) {
    case 'scalar':
      return `${space()}${document.text}${space()}`;
    case 'string':
      return `${space()}${quote(document.value, choose)}${space()}`;
    case 'array':
      return `${space()}[${space()}${document.items.map((item) => write(item, choose)).join(',')}]${space()}`;
    default: {
      const entries = document.entries.map(
        ([key, value]) => `${space()}${quote(key, choose)}${space()}:${write(value, choose)}`,
      );
      return `${space()}{${space()}${entries.join(',')}}${space()}`;
    }
  }
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '"': '\\"', '\\': '\\\\', '/': '\\/' };

/** A JSON string in one of its many spellings; half a surrogate pair can only be written as an escape. */
function quote(value: string, choose: Choose): string {
  const units = Array.from({ length: value.length }, (_, index) => value.charCodeAt(index));
  const written = units.map((unit) => {
    const char = String.fromCharCode(unit);
    const isSurrogate = unit >= 0xd800 && unit <= 0xdfff;
    const hex = unit.toString(16).padStart(4, '0');
    const spelling = choose(3);
    if (SHORT_ESCAPES[char] !== undefined && spelling > 0) return SHORT_ESCAPES[char];
    if (unit < 0x20 || char === '"' || char === '\\' || isSurrogate || spelling === 0) {
      return `\\u${choose(2) === 0 ? hex : hex.toUpperCase()}`;
    }
    return char;
  });
  return `"${written.join('')}"`;
}

test.each([
  ['{"a":1,"a":2}', 'it has the key "a" twice'],
  ['{"a":1,"\\u0061":2}', 'it has the key "a" twice'],
  ['[{"b":{"a":1,"c":[],"a":2}}]', 'it has the key "a" twice'],
  ['{"__proto__":1}', 'it has the key "__proto__"'],
  ['{"\\u005f_proto__":1}', 'it has the key "__proto__"'],
  ['{"a":{"\\u005F\\u005Fproto\\u005f_":{}}}', 'it has the key "__proto__"'],
  ['"\\ud800"', 'a string has half of a surrogate pair'],
  ['"\\uDC00\\uD800"', 'a string has half of a surrogate pair'],
  ['{"\\udfff":1}', 'a string has half of a surrogate pair'],
  ['[[[]]]', 'it is nested more than 2 deep'],
  ['{"a":[{}]}', 'it is nested more than 2 deep'],
])('%s: %s', (json, fault) => {
  expect(findJsonFault(json, fault.endsWith('2 deep') ? 2 : 64)).toBe(fault);
});

test.each([
  '{"a":{"a":1},"b":[{"a":1},{"a":1}]}',
  '["a","a","__proto__"]',
  '{"a":"a","b":"a"}',
  '{"a":"__proto__"}',
  '"\\ud83d\\ude42"',
  '"\\\\ud800"',
  '"{\\"a\\":1,\\"a\\":2}"',
  '[[],[],[{}],[[]]]',
  '{"A":1,"a":1,"á":1,"a\u0301":1}',
])('%s has no fault', (json) => {
  JSON.parse(json);
  expect(findJsonFault(json, 3)).toBeUndefined();
});
