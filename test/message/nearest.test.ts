import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nearest } from '../../src/message/nearest.ts';
import { checkProperty } from './property.ts';

test.each([
  ['agent-22', ['agent-1', 'agent-2', 'bob'], 'agent-2'],
  ['QUESTON', ['QUESTION', 'INFO'], 'QUESTION'],
  ['question', ['QUESTION', 'INFO'], 'QUESTION'],
  ['bbo', ['alice', 'bob'], 'bob'],
  ['reveiwer', ['reviewer', 'planner'], 'reviewer'],
  ['codereview', ['code-review', 'core-review'], 'code-review'],
  ['ab', ['ba', 'ac'], 'ba'],
])('for %j among %j it suggests %j', (wanted, candidates, expected) => {
  expect(nearest(wanted, candidates)).toBe(expected);
});

test.each([
  ['alice', ['bob', 'carol']],
  ['x', ['y']],
  ['ab', ['cd']],
  ['reviewer', []],
  ['a', ['abcde']],
  ['', ['abc']],
])('for %j among %j it suggests nothing', (wanted, candidates) => {
  expect(nearest(wanted, candidates)).toBeUndefined();
});

test('a name that is there is suggested before all others', () => {
  const name = fc.string({ minLength: 1, maxLength: 12 });
  checkProperty(
    'names',
    fc.property(fc.array(name, { minLength: 1, maxLength: 20 }), fc.nat(), (names, index) => {
      const wanted = names[index % names.length] ?? '';
      expect(nearest(wanted, names)?.toLowerCase()).toBe(wanted.toLowerCase());
    }),
    { runs: 500 },
  );
});

test('one slip, of four or more letters, is always suggested', () => {
  const word = fc.stringMatching(/^[a-h]{4,20}$/).map((text) => text.split(''));
  checkProperty(
    'slips',
    fc.property(word, fc.nat(), fc.constantFrom('drop', 'double', 'replace', 'swap'), (letters, place, slip) => {
      const at = place % (letters.length - 1);
      const [a = '', b = ''] = [letters[at], letters[at + 1]];
      const instead = { drop: [b], double: [a, a, b], replace: ['z', b], swap: [b, a] }[slip];
      expect(nearest(letters.toSpliced(at, 2, ...instead).join(''), [letters.join('')])).toBe(letters.join(''));
    }),
    { runs: 1_000 },
  );
});
