import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { HOSTILE_MARKUP, HOSTILE_TEXT } from '../../fixtures/zoo/hostile-text.ts';
import { featureSlug, hasRoomUnder, refPart } from '../../machines/shared/git-ref.ts';
import { ScratchRepository } from './scratch-repository.ts';
import { anyCharacter } from '../message/property.ts';

const BRANCHES = ['mailroom/pay', `mailroom/${'b'.repeat(136)}`, 'größe'];
/** The longest id of a run. */
const RUN = 'r'.repeat(40);
const NAMES = [
  ...'csv-1|csv--1|CSV-1|Csv-1|a.lock|..|a..b|@{|-x|/|a/b|a b|~^:?*[\\|| |HEAD|变更|変更|é|e\u0301|.|a.'.split('|'),
  'x'.repeat(60),
  'x'.repeat(300),
  'X'.repeat(300),
  ...Object.values({ ...HOSTILE_TEXT, ...HOSTILE_MARKUP }),
];

const repository = new ScratchRepository();
afterAll(() => repository[Symbol.dispose]());

it('turns any names into distinct parts of refs that git accepts', () => {
  const names = [...new Set([...NAMES, ...fc.sample(fc.string({ unit: anyCharacter }), 200)])];
  const parts = names.map((name) => refPart(name));
  expect(new Set(parts.map((one) => one.toLowerCase().normalize())).size).toBe(names.length);
  // Git checks each name, and the file system its length.
  const id = repository.git(['rev-parse', 'HEAD']).trim();
  for (const before of BRANCHES) {
    const refs = parts.map((part) => `refs/heads/${before}.${RUN}.${part}`);
    repository.git(['update-ref', '--stdin'], refs.map((one) => `create ${one} ${id}\n`).join(''));
    const made = repository.git(['for-each-ref', '--format=%(refname)', 'refs/heads']).split('\n');
    expect(made).toEqual(expect.arrayContaining(refs));
  }
});

it('keeps the id of a task as it is', () => {
  expect(refPart(`${'x'.repeat(60)}-2`)).toBe(`${'x'.repeat(60)}-2`);
  expect(refPart('CSV: "quoting"')).toMatch(/^csv-quoting-[0-9a-f]{8}$/);
});

it('knows which branch names leave room for the branches of tasks', () => {
  expect(BRANCHES.map((one) => hasRoomUnder(one))).toEqual([true, true, true]);
  expect(hasRoomUnder(`mailroom/${'b'.repeat(137)}`)).toBe(false);
  expect(hasRoomUnder(`${'long/'.repeat(50)}b`)).toBe(true);
});

it('turns a feature into a part of a name', () => {
  expect(featureSlug('Let customers pay in two parts!\nMore text')).toBe('let-customers-pay-in-two-parts');
  expect(featureSlug('# Größe & Preis')).toBe('gro-e-preis');
  expect(featureSlug('…')).toBe('feature');
  // Windows has devices of these names.
  expect(['Con', 'NUL!', 'com1', 'com10', 'console'].map(featureSlug)).toEqual([
    'con-feature',
    'nul-feature',
    'com1-feature',
    'com10',
    'console',
  ]);
});
