import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cut, echo } from '../../src/message/cut.ts';
import { anyCharacter, checkProperty } from './property.ts';

const RUNS = 5_000;
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

function boundariesOf(text: string): Set<number> {
  return new Set([...Array.from(segmenter.segment(text), ({ index }) => index), text.length]);
}

/** Everything that clusters are made of, and plain text between. */
const PIECES =
  'a| |\r\n|\n|é|e\u0301|ö\u0323\u0308|🙂|👍🏽|👨‍👩‍👧‍👦|🏳️‍🌈|🏃🏽‍♂️|1️⃣|❤️|🇩🇪|🇫🇷|🇺|🏴󠁧󠁢󠁳󠁣󠁴󠁿|한|\u1112\u1161\u11ab|가\u11a8|नमस्ते|นำ|می‌خواهم|葛󠄀|\u0600١|\u{110bd}\u{11083}';
const pieces = fc.constantFrom(...PIECES.split('|'));
const written = fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join(''));
const anything = fc.oneof(written, fc.string({ unit: 'grapheme' }), fc.string({ unit: anyCharacter }));

describe('cut', () => {
  it('ends where a grapheme cluster of Intl.Segmenter ends, from either end, and never longer than asked', () => {
    let cuts = 0;
    const property = fc.property(
      anything,
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom('start' as const, 'end' as const),
      (text, charsMax, keep) => {
        const short = cut(text, { charsMax, keep });
        expect(short === text).toBe(text.length <= charsMax);
        if (short === text) return;
        cuts += 1;
        expect(short.length).toBeLessThanOrEqual(charsMax);
        const kept = keep === 'start' ? short.slice(0, -1) : short.slice(1);
        expect(keep === 'start' ? text.startsWith(kept) : text.endsWith(kept)).toBe(true);
        expect(short).toBe(keep === 'start' ? `${kept}…` : `…${kept}`);
        expect(boundariesOf(text)).toContain(keep === 'start' ? kept.length : text.length - kept.length);
      },
    );
    const tried = checkProperty('cuts', property, { runs: RUNS });
    expect(cuts).toBeGreaterThan(tried / 10);
  });

  it.each([
    ['an emoji', 'ab🙂', 3, 'ab…'],
    ['a family', 'ab👨‍👩‍👧‍👦cd', 10, 'ab…'],
    ['the second of two flags', '🇩🇪🇫🇷x', 7, '🇩🇪…'],
    ['a letter and its accent', 'abe\u0301f', 4, 'ab…'],
    ['a line end', 'ab\r\ncd', 4, 'ab…'],
  ])('does not divide %s', (_what, text, charsMax, shown) => {
    expect(cut(text, { charsMax })).toBe(shown);
  });

  it('keeps the end, and any mark or none', () => {
    expect(cut('one two', { charsMax: 4, keep: 'end' })).toBe('…two');
    expect(cut('ab🙂🙂', { charsMax: 4, keep: 'end' })).toBe('…🙂');
    expect(cut('one two', { charsMax: 3, mark: '' })).toBe('one');
    expect(cut('one two', { charsMax: 7 })).toBe('one two');
    expect(cut('one two', { charsMax: Infinity })).toBe('one two');
  });

  it('takes no longer and keeps the limit where one letter has a million accents', () => {
    const text = `a${'\u0301'.repeat(1_000_000)}`;
    expect(cut(text, { charsMax: 1_000 })).toHaveLength(1_000);
    expect(cut('🇩'.repeat(500_001), { charsMax: 1_000 }).length).toBeGreaterThan(990);
    expect(cut(`x${'\u{1f3fb}'.repeat(1_000)}`, { charsMax: 501 }).isWellFormed()).toBe(true);
  });
});

it('repeats what somebody gave in quotes, on one line and not too long', () => {
  expect(echo('a\nb')).toBe('"a\\nb"');
  expect(echo(`${'a'.repeat(58)}🙂🙂`)).toBe(`"${'a'.repeat(58)}…"`);
});
