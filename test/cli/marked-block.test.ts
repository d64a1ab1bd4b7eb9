import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withBlock } from '../../src/cli/marked-block.ts';
import { amount } from '../run/amount.ts';

const BEGIN = '<!-- mailroom:begin v1 -->';
const END = '<!-- mailroom:end -->';
const lines = ['one', 'two'];
const block = `${BEGIN}\none\ntwo\n${END}`;
const put = (text: string): string => withBlock(text, { path: 'AGENTS.md', lines });

describe('a marked block', () => {
  it.each([
    ['', `${block}\n`],
    ['# Mine\n', `# Mine\n\n${block}\n`],
    ['# Mine', `# Mine\n\n${block}\n`],
    ['a\r\nb\r\n', `a\r\nb\r\n\r\n${block.replaceAll('\n', '\r\n')}\r\n`],
    [`a\n${BEGIN}\nold\n${END}\nb`, `a\n${block}\nb`],
    [`a\r\n${BEGIN}\r\n${END}\r\nb`, `a\r\n${block.replaceAll('\n', '\r\n')}\r\nb`],
    [`${BEGIN}\n${END}`, block],
    // In a sentence they are no markers.
    [`Between \`${BEGIN}\` and \`${END}\`.\n`, `Between \`${BEGIN}\` and \`${END}\`.\n\n${block}\n`],
  ])('is put into %j', (text, expected) => {
    expect(put(text)).toBe(expected);
    expect(put(expected)).toBe(expected);
  });

  it('leaves every character before and behind it as it is, and is the same when it is put there again', () => {
    const piece = fc.constantFrom('a', ' ', '\n', '\r\n', '\r', '\t', '\u00ff', '<!--', '-->', 'mailroom:', '# x');
    const around = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(''));
    const given = fc.tuple(around, around, around, fc.constantFrom('\n', '\r\n'));
    const seed = Date.now() % 1_000_000;
    fc.assert(
      fc.property(given, ([before, within, behind, newline]) => {
        const added = put(before);
        expect(added.startsWith(before)).toBe(true);
        expect(put(added)).toBe(added);
        const begun = before === '' ? '' : before + newline;
        const text = `${begun}${BEGIN}${newline}${within}${newline}${END}${newline}${behind}`;
        const replaced = put(text);
        expect(replaced.startsWith(begun + BEGIN)).toBe(true);
        expect(replaced.endsWith(`${END}${newline}${behind}`)).toBe(true);
        expect(replaced.length).toBeLessThanOrEqual(begun.length + behind.length + block.length + 6);
        expect(put(replaced)).toBe(replaced);
      }),
      { seed, numRuns: amount(100, { long: 500 }) },
    );
    console.log(`500 texts, seed ${seed}`);
  });

  it.each([
    [`a\n${END}\n`, /line 2 ends a block/],
    [`a\n\n${BEGIN}\nb\n`, /line 3 begins a block .* no line after it ends it/],
    [`${BEGIN}\n${BEGIN}\n${END}\n`, /line 2 begins a block .* within the one that line 1 begins/],
    [`${BEGIN}\n${END}\n\n  ${BEGIN}\n${END}\n`, /line 4 belongs to a second block .* line 1/],
    [`${BEGIN}\n${END}\n${END}\n`, /line 3 belongs to a second block/],
    [`${END}\r\n${BEGIN}\r\n`, /line 1 ends a block/],
    [`<!-- mailroom:begin v2 -->\n${END}\n`, /line 1 begins a block of version 2, which a later Mailroom wrote/],
    [`<!-- mailroom:begin -->\n${END}\n`, /line 2 ends a block/],
  ])('is refused where the markers are not one pair: %j', (text, message) => {
    expect(() => put(text)).toThrow(
      expect.objectContaining({ code: 'CONFLICT', message: expect.stringMatching(message), hint: expect.any(String) }),
    );
    expect(() => put(text)).toThrow(/^AGENTS\.md was left as it is/);
  });
});
