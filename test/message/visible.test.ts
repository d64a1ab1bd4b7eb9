import { expect, test } from 'vitest';
import { visible, visibleLines } from '../../src/message/visible.ts';

/** Control characters, separators of lines, bidirectional controls, halves of a pair: by the Unicode tables, not by a list. */
const ACTS_ON_TERMINALS = /\p{Cc}|\p{Zl}|\p{Zp}|\p{Bidi_Control}|\p{Cs}|\ufeff/u;
const ESCAPED = /^a\\(?:[ntr]|x[0-9a-f]{2}|u[0-9a-f]{4})b$/;
const CODE_POINTS = 0x110000;

test('of all code points, exactly those that act on a terminal are escaped', () => {
  const escaped: number[] = [];
  const wrong: number[] = [];
  for (let code = 0; code < CODE_POINTS; code++) {
    const char = String.fromCodePoint(code);
    const shown = visible(`a${char}b`);
    const isEscaped = ESCAPED.test(shown);
    if (isEscaped) escaped.push(code);
    if (isEscaped !== ACTS_ON_TERMINALS.test(char) || isEscaped === (shown === `a${char}b`)) wrong.push(code);
  }
  console.log(`code points: ${CODE_POINTS} looked at, ${escaped.length} escaped`);
  expect(wrong).toEqual([]);
  expect(escaped.length).toBe(65 + 2 + 12 + 2_048 + 1);
});

test('lines stay lines where they may, and nothing else differs', () => {
  for (let code = 0; code < 0x3000; code++) {
    const char = String.fromCodePoint(code);
    const isKept = char === '\n' || char === '\t';
    expect(visibleLines(char)).toBe(isKept ? char : visible(char));
  }
});

test('a whole pair stays, each half alone is escaped', () => {
  expect(visible('🙂')).toBe('🙂');
  expect(visible('\ud83d')).toBe('\\ud83d');
  expect(visible('\ude42\ud83d')).toBe('\\ude42\\ud83d');
  expect(visible('\ud83d🙂\ude42')).toBe('\\ud83d🙂\\ude42');
});

test.each([
  ['clear screen', '\x1b[2J', '\\x1b[2J'],
  ['set title', '\x1b]0;owned\x07', '\\x1b]0;owned\\x07'],
  ['end of a bracketed paste', '\x1b[201~rm -rf .\r', '\\x1b[201~rm -rf .\\r'],
  ['one-byte CSI', '\x9b2J', '\\x9b2J'],
  ['overwriting', 'safe\rrm', 'safe\\rrm'],
  ['reversed text', 'a\u202etxt.exe', 'a\\u202etxt.exe'],
])('%s is shown, not obeyed', (_what, text, shown) => {
  expect(visible(text)).toBe(shown);
});

test('what was made visible stays as it is', () => {
  const all = Array.from({ length: 0x2100 }, (_, code) => String.fromCodePoint(code)).join('');
  expect(visible(visible(all))).toBe(visible(all));
});
