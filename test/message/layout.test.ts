import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  claimFileName,
  messageFileName,
  parseClaimFileName,
  parseMessageFileName,
  reasonFileName,
} from '../../src/message/layout.ts';
import { checkProperty } from './property.ts';

const ID = '019b7d31-5c00-7000-8000-000000000001';
const NAME = `${ID}.alice.json`;
const FILE_NAME_BYTES_MAX = 255;

test('names of messages and claims say what they were made of', () => {
  const from = fc.constantFrom('a', 'alice', 'team.reviewer', 'json', 'a.json', 'x'.repeat(120));
  const state = fc.record({ attempt: fc.nat(999_999), untilMs: fc.nat(999_999_999_999_999) });
  checkProperty(
    'names',
    fc.property(from, state, (sender, { attempt, untilMs }) => {
      const name = messageFileName({ id: ID, from: sender });
      expect(parseMessageFileName(name)).toEqual({ id: ID, from: sender });
      expect(parseClaimFileName(claimFileName({ name, attempt, untilMs }))).toEqual({ name, attempt, untilMs });
      expect(parseMessageFileName(claimFileName({ name, attempt, untilMs }))).toBeUndefined();
    }),
    { runs: 500 },
  );
});

test('the longest name of each kind fits into a directory', () => {
  const name = messageFileName({ id: ID, from: 'x'.repeat(120) });
  const longest = claimFileName({ name, attempt: 999_999, untilMs: 999_999_999_999_999 });
  expect(Math.max(longest.length, reasonFileName(name).length)).toBeLessThan(FILE_NAME_BYTES_MAX);
});

test.each([
  '',
  '.json',
  ID,
  `${ID}.json`,
  `${ID}..json`,
  `${ID}.alice`,
  `${ID}.alice.JSON`,
  `${ID}.Alice.json`,
  `${ID}.alice.json `,
  `${ID}.alice.json\n`,
  `${ID}.alice.json.json.`,
  `${ID}-alice.json`,
  `.${NAME}`,
  `${ID.toUpperCase()}.alice.json`,
  `${ID}.../x.json`,
  `${ID}.a/b.json`,
  `${ID}.${'x'.repeat(121)}.json`,
  `${NAME},1,1`,
  `${NAME}.why.json~`,
])('%j is no message name', (name) => {
  expect(parseMessageFileName(name)).toBeUndefined();
});

test.each([
  NAME,
  `${NAME},1`,
  `${NAME},1,`,
  `${NAME},,1`,
  `${NAME},-1,1`,
  `${NAME},1,-1`,
  `${NAME},1.5,1`,
  `${NAME},1,1e3`,
  `${NAME},1,1,1`,
  `${NAME},1,1 `,
  `${NAME},1,1\n`,
  `${NAME},1000000,1`,
  `x${NAME},1,1`,
  `${ID}.json,1,1`,
])('%j is no claim', (name) => {
  expect(parseClaimFileName(name)).toBeUndefined();
});

test.each([`${NAME},01,1`, `${NAME},1,01`, `${NAME},00,0`, `${NAME},1,1000000000000000`])(
  '%j is no claim, because no claim is written like that',
  (name) => {
    expect(parseClaimFileName(name)).toBeUndefined();
  },
);
