import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { HOSTILE_MARKUP, HOSTILE_TEXT, isClean } from '../../fixtures/zoo/hostile-text.ts';
import { commitMessage, subjectLine } from '../../machines/shared/commit-message.ts';
import { anyCharacter, checkProperty } from '../message/property.ts';
import { amount, choice } from '../run/amount.ts';
import { SEED } from '../run/seed.ts';
import { ScratchRepository } from './scratch-repository.ts';

const HOSTILE = { ...HOSTILE_TEXT, ...HOSTILE_MARKUP };
const NOTE = 'Work of ada, reviewed and approved.';
/** What a forge acts on in a message: mentions, closing keywords with an issue, links, words that skip its checks. */
const ACTS_ON_A_FORGE =
  /@[a-z0-9]|#\d|\bGH-\d|:\/\/|\bwww\.|\[[^\][\n]*\b(?:skip|ci)\b|\*{3}NO_CI|-(?:by|id)\s*:.*$(?<=^\S.*)|^skip-checks/im;

const repository = new ScratchRepository();
afterAll(() => repository[Symbol.dispose]());

function expectInert(message: string): void {
  expect(message).not.toMatch(ACTS_ON_A_FORGE);
  expect(message.split('\n').filter((line) => !isClean(line.replaceAll('\t', '')))).toEqual([]);
  const [subject = '', ...below] = message.split('\n');
  expect(subject).toMatch(/\S/);
  expect(subject).not.toMatch(/^(?:#|(?:fixup|squash|amend)!)/);
  expect(below.filter((line) => /^\S/.test(line) && line !== NOTE)).toEqual([]);
}

describe('commitMessage', () => {
  const cases = Object.entries(HOSTILE).map(([what, text], at) => ({ what, text, at }));
  it.each(cases)('is stored by git unchanged, and cannot $what', ({ text, at }) => {
    const messages = [commitMessage(text), commitMessage(text, { note: NOTE }), commitMessage(`Merge a: ${text}`)];
    for (const message of choice(messages, (one) => one === messages[(at + SEED) % messages.length])) {
      expectInert(message);
      expect(repository.commit(message)).toBe(message);
      expect(repository.git(['interpret-trailers', '--parse'], `${message}\n`)).toBe('');
    }
    expect(repository.git(['log', '-1', '--format=%s']).trimEnd().length).toBeLessThanOrEqual(72);
  });

  it('is inert for any text, and short enough for a command line', () => {
    const pieces = fc.oneof(fc.constantFrom(...Object.values(HOSTILE)), fc.string({ unit: anyCharacter }));
    const text = fc.array(pieces).map((parts) => parts.join('\n'));
    const property = fc.property(text, (one) => expectInert(commitMessage(one, { note: NOTE })));
    checkProperty('messages', property, { runs: 500 });
    expect(Buffer.byteLength(commitMessage('変'.repeat(amount(200_000, { long: 1_000_000 }))))).toBeLessThan(100_000);
  });

  it('has a short first line, and the whole text below if that is not all of it', () => {
    expect(commitMessage('Added sum, with a test.\n')).toBe('Added sum, with a test.');
    const long = `I have added ${'a very '.repeat(12)}long sum.`;
    const [subject = '', ...below] = commitMessage(long).split('\n');
    expect(subject.length).toBeLessThanOrEqual(72);
    expect(subject).toMatch(/^I have added a very .* (?:a|very)…$/);
    expect(below).toEqual(['', `  ${long}`]);
    expect(commitMessage('## Sum\n\nIt adds.', { note: NOTE })).toBe(`Sum\n\n  ## Sum\n\n  It adds.\n\n${NOTE}`);
    expect(commitMessage('#')).toBe('Untitled');
  });
});

describe('subjectLine', () => {
  it.each([
    ['# Costs: two parts', 'Costs: two parts'],
    ['Fix @ada, closes #2 of a/b#3', 'Fix @ ada, closes # 2 of a/b# 3'],
    ['See https://x.example [skip ci]', 'See https: //x.example (skip ci)'],
    ['Signed-off-by: A <a@b.example>', 'Signed-off by: A <a@ b.example>'],
    ['fixup! Costs', 'fixup ! Costs'],
    ['Use @ and # and [x] and a-b: c', 'Use @ and # and [x] and a-b: c'],
  ])('makes %j %j', (text, subject) => {
    expect(subjectLine(text)).toBe(subject);
  });

  it('is cut between words, or else between characters', () => {
    expect(subjectLine(`${'word '.repeat(14)}👨‍👩‍👧‍👦 end`)).toBe(`${'word '.repeat(14).trim()}…`);
    expect(subjectLine('👨‍👩‍👧‍👦'.repeat(10))).toBe(`${'👨‍👩‍👧‍👦'.repeat(6)}…`);
  });
});
