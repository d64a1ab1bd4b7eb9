import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALL_HOSTILE_MARKUP, HOSTILE_MARKUP, HOSTILE_TEXT, isClean } from '../../fixtures/zoo/hostile-text.ts';
import {
  codeBlock,
  codeSpan,
  markdownDocument,
  markdownText,
  quotedMarkdown,
  type Section,
} from '../../machines/shared/markdown.ts';
import { plainOutput, visible, visibleLines } from '../../src/message/visible.ts';
import { checkProperty } from '../message/property.ts';
import { ACTS_ON_GITHUB, hasHtml, rendered } from './rendered.ts';

const RUNS = 200;
const HOSTILE = { ...HOSTILE_TEXT, ...HOSTILE_MARKUP };

/** Pieces of hostile text, the characters that Markdown is made of, and anything else. */
const pieces = fc.oneof(
  fc.constantFrom(...Object.values(HOSTILE), ...Object.values(HOSTILE).flatMap((text) => text.split(' '))),
  fc.string({ unit: fc.constantFrom(...' \n`*_[]<>~|$@#&:/.\\-+=!()"ab1'.split('')), maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);
const hostile = fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join(' '));

/** The text without code marks and spaces. */
function bare(text: string): string {
  return text.replaceAll(/[\s`]/g, '');
}

function expectInert(markdown: string, elements: readonly string[]): void {
  const found = rendered(markdown);
  expect([...new Set(found.elements)].filter((name) => !elements.includes(name))).toEqual([]);
  expect(found.prose).not.toMatch(ACTS_ON_GITHUB);
}

describe('markdownText', () => {
  it.each(Object.entries(HOSTILE))('leaves nothing that can %s', (_what, text) => {
    const shown = markdownText(text, { charsMax: Infinity });
    expect(isClean(shown)).toBe(true);
    expectInert(`- said: ${shown}`, ['ul', 'li', 'code']);
    expectInert(`before\n${shown}\nafter`, ['p', 'code']);
    expect(bare(rendered(shown).text)).toBe(bare(visible(text.replaceAll(/\s+/g, ' ').trim())));
  });

  it('makes any text inert without losing any of it, in a list, in a paragraph and in bold', () => {
    const property = fc.property(hostile, (text) => {
      const shown = markdownText(text, { charsMax: Infinity });
      expectInert(`- said: ${shown}`, ['ul', 'li', 'code']);
      expectInert(`before\n${shown}\nafter`, ['p', 'code']);
      expectInert(`- **${shown}** (x)`, ['ul', 'li', 'code', 'strong']);
      expect(bare(rendered(shown).text)).toBe(bare(visible(plainOutput(text).replaceAll(/\s+/g, ' ').trim())));
    });
    checkProperty('texts in Markdown', property, { runs: RUNS });
  });

  it.each([
    [
      'Added sum(), with a test; it is 2 - 1 = 1 (see src/csv.js).',
      'Added sum(), with a test; it is 2 - 1 = 1 (see src/csv.js).',
    ],
    ['Use `a|b` in my_name, please.', 'Use `a|b` in `my_name`, please.'],
    ['thanks @ada, closes #2 (see https://x.example/1).', 'thanks `@ada`, closes `#2` (see `https://x.example/1`).'],
    ['1. first', '`1.` first'],
    ['größer — 変更 🙂', 'größer — 変更 🙂'],
    ['at 1a2b3c4d', 'at `1a2b3c4d`'],
  ])('shows %j as %j', (text, shown) => {
    expect(markdownText(text)).toBe(shown);
  });

  it('is cut between characters', () => {
    expect(markdownText(`${'x'.repeat(8)}👨‍👩‍👧‍👦`, { charsMax: 12 })).toBe(`${'x'.repeat(8)}…`);
  });
});

describe('code', () => {
  it('holds any text in a code span', () => {
    const property = fc.property(hostile, (text) => {
      if (text.trim() === '') return;
      const found = rendered(`x ${codeSpan(text)} x`);
      expect(found.elements).toEqual(['p', 'code']);
      expect(bare(found.text)).toBe(bare(`x${visible(text.replaceAll(/\s+/g, ' '))}x`));
    });
    checkProperty('spans of code', property, { runs: RUNS });
  });

  it('holds the last lines of any output in a block, each cut to a readable length', () => {
    const property = fc.property(hostile, fc.integer({ min: 1, max: 5 }), (text, linesMax) => {
      const found = rendered(`x\n\n${codeBlock(text, { linesMax })}\n\n## After`);
      expect(found.elements).toEqual(['p', 'pre', 'code', 'h2']);
      expect(visibleLines(found.text)).toBe(found.text);
    });
    checkProperty('blocks of code', property, { runs: RUNS });
    expect(codeBlock('one\n\u001b[31mtwo\u001b[0m\u0007\r\n````\n', { linesMax: 2 })).toBe(
      '`````text\n… (1 earlier lines)\ntwo\\x07\n````\n`````',
    );
  });
});

describe('quotedMarkdown', () => {
  const after = '\n\nBranch\n\n## How it was tested\n\nit was';

  it.each(Object.entries(HOSTILE))('closes a text that can %s', (_what, text) => {
    const found = rendered(`${quotedMarkdown(text).join('\n')}${after}`);
    expect(found.headings).toEqual(['h2 How it was tested']);
    expect(found.outside).toMatch(/^\s*Branch\s+How it was tested\s+it was/);
  });

  it('keeps following text outside, and lets no HTML through, for any text', () => {
    const property = fc.property(fc.array(fc.oneof(pieces, hostile)), (parts) => {
      const document = `${quotedMarkdown(parts.join('\n')).join('\n')}${after}`;
      expect(rendered(document).headings).toEqual(['h2 How it was tested']);
      expect(hasHtml(document)).toBe(false);
    });
    checkProperty('quotations', property, { runs: RUNS });
  });

  it('keeps the author’s Markdown and code unchanged', () => {
    const markdown = '# Costs\n\nSee #2:\n\n```ts\nMap<string, number>\n```\n- [a](https://x.example) **now** <b>';
    expect(quotedMarkdown(markdown).join('\n')).toBe(
      '> # Costs\n>\n> See #2:\n>\n> ```ts\n> Map<string, number>\n> ```\n> - [a](https://x.example) **now** < b>',
    );
  });
});

describe('markdownDocument', () => {
  const section = (heading: string, lines: number, width = 20): Section => ({
    heading,
    blocks: Array.from({ length: lines }, (_, at) => `- ${`${heading} ${at} `.padEnd(width, 'x')}`),
  });

  it('is complete if it fits', () => {
    const sections = [{ blocks: ['intro'] }, section('a', 2), section('b', 1)];
    const whole = markdownDocument(sections, { charsMax: Infinity });
    expect(whole).toBe(
      [
        'intro\n',
        '## a\n',
        '- a 0 xxxxxxxxxxxxxxxx',
        '- a 1 xxxxxxxxxxxxxxxx\n',
        '## b\n',
        '- b 0 xxxxxxxxxxxxxxxx\n',
      ].join('\n'),
    );
    expect(markdownDocument(sections, { charsMax: whole.length + 10 })).toBe(whole);
  });

  it('shortens the longest section, says by how much, and keeps the others', () => {
    const sections = [
      section('long', 5_000),
      section('short', 3),
      { heading: 'block', blocks: [codeBlock('x', { linesMax: 1 })] },
    ];
    const text = markdownDocument(sections, { charsMax: 10_000 });
    expect(text.length).toBeLessThanOrEqual(10_000);
    expect(text.length).toBeGreaterThan(9_800);
    expect(rendered(text).headings).toEqual(['h2 long', 'h2 short', 'h2 block']);
    expect(text).toContain('- short 2');
    const [, more = ''] = /\n\n… and (\d+) more lines\.\n/.exec(text) ?? [];
    expect(text.match(/^- long/gm)?.length).toBe(5_000 - Number(more));
  });

  it('stays within the limit and keeps all headings, for any sections', () => {
    const sections = fc.array(
      fc.record({
        heading: fc.constantFrom('one', 'two', 'three'),
        blocks: fc.array(
          fc.oneof(
            hostile.map((text) => `- ${markdownText(text)}`),
            hostile.map((text) => codeBlock(text, { linesMax: 9 })),
          ),
        ),
      }),
      { minLength: 1, maxLength: 8 },
    );
    const property = fc.property(sections, fc.integer({ min: 1_500, max: 4_000 }), (all, charsMax) => {
      const text = markdownDocument(all, { charsMax });
      expect(text.length).toBeLessThanOrEqual(charsMax);
      expect(rendered(text).headings).toEqual(all.map(({ heading }) => `h2 ${heading}`));
    });
    checkProperty('documents', property, { runs: RUNS });
  });

  it('shows any text as one line', () => {
    expect(visibleLines(markdownText(ALL_HOSTILE_MARKUP))).not.toContain('\n');
  });
});
