import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainOutput, visible, visibleJson, visibleLines } from '../../src/message/visible.ts';
import { anyCharacter, checkProperty } from './property.ts';

/** Controls, line separators, halves of a pair, and what is there without being seen: by the Unicode tables, not by a list. */
const UNSAFE = /\p{Cc}|\p{Zl}|\p{Zp}|\p{Bidi_Control}|\p{Cs}|\p{Default_Ignorable_Code_Point}|[\ufff9-\ufffb]/u;
const ESCAPED = /^a\\(?:[ntr]|x[0-9a-f]{2}|u[0-9a-f]{4}|u\{[0-9a-f]{5}\})b$/;
const CODE_POINTS = 0x110000;
/** What an ignorable character may stand beside, and such characters. */
const CONTEXTS = [
  ...'🙂|👨|🏽|🏴|1|س|ক|葛|ᠠ|\u17b4|\u180e'.split('|'),
  ...'\ufe0f|\ufe0e|\u200d|\u200c|\u{e0067}|\u{e007f}|\u{e0100}|\u180b|\u20e3'.split('|'),
];

test('of all code points, exactly those that act on a terminal or are not seen are escaped', () => {
  const escaped: number[] = [];
  const wrong: number[] = [];
  for (let code = 0; code < CODE_POINTS; code++) {
    const char = String.fromCodePoint(code);
    const shown = visible(`a${char}b`);
    const isEscaped = ESCAPED.test(shown);
    if (isEscaped) escaped.push(code);
    if (isEscaped !== UNSAFE.test(char) || isEscaped === (shown === `a${char}b`)) wrong.push(code);
  }
  console.log(`code points: ${CODE_POINTS} looked at, ${escaped.length} escaped`);
  expect(wrong).toEqual([]);
  // 65 controls, 2 separators and 2,048 surrogates; the ignorable are 4,174 in Unicode 15, the bidirectional among them.
  expect(escaped.length).toBeGreaterThanOrEqual(65 + 2 + 2_048 + 4_174);
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
  ['an instruction in tags', 'ok\u{e0072}\u{e006d}', 'ok\\u{e0072}\\u{e006d}'],
  ['tags behind a flag', '\u{1f3f4}\u{e0067}\u{e007f}', '\u{1f3f4}\\u{e0067}\\u{e007f}'],
  ['bytes in variation selectors', '🙂\ufe0f\ufe0e\u{e0110}', '🙂\ufe0f\\ufe0e\\u{e0110}'],
  ['a word divided by nothing', 'pass\u200bword\u2060s', 'pass\\u200bword\\u2060s'],
])('%s is shown, not obeyed', (_what, text, shown) => {
  expect(visible(text)).toBe(shown);
});

test.each([
  ['a family', '👨‍👩‍👧‍👦'],
  ['a rainbow flag', '🏳️‍🌈'],
  ['a runner', '🏃🏽‍♂️'],
  ['a heart and a keycap', '❤️ 1️⃣'],
  ['the flag of Scotland', '🏴󠁧󠁢󠁳󠁣󠁴󠁿'],
  ['Persian', 'می‌خواهم'],
  ['Hindi', 'क्‍ष'],
  ['a variant of a Chinese character', '葛󠄀'],
])('%s stays as it is written', (_what, text) => {
  expect([visible(text), visibleLines(text), visibleJson(text)]).toEqual([text, text, JSON.stringify(text)]);
});

test('JSON with unsafe text in it is the same value, and has nothing unsafe', () => {
  const value = { '\u{e0041}\u200b': ['\x7f\u2028\u202e\ufeff', 'é🙂\u{e0072}'] };
  expect(JSON.parse(visibleJson(value))).toEqual(value);
  expect(visibleJson(value)).not.toMatch(UNSAFE);
});

test('what was made visible stays as it is', () => {
  const all = Array.from({ length: 0x2100 }, (_, code) => String.fromCodePoint(code)).join('');
  expect(visible(visible(all)) === visible(all)).toBe(true);
  const hostile = fc.string({ unit: fc.oneof(fc.constantFrom(...CONTEXTS), fc.string({ unit: anyCharacter })) });
  checkProperty(
    'twice visible',
    fc.property(hostile, (text) => visible(visible(text)) === visible(text)),
    { runs: 2_000 },
  );
});

test('what a program printed loses its colours, and whatever else acts on a terminal stays to be seen', () => {
  expect(plainOutput('\x1b[31;1m✗\x1b[0m one\r\n\x1b[38:5:9mtwo\x1b[K')).toBe('✗ one\ntwo');
  expect(visibleLines(plainOutput('\x1b[\x1b[0m2J\x1b]0;x\x07'))).toBe('\\x1b[2J\\x1b]0;x\\x07');
});
