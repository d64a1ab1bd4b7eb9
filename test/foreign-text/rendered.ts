import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';

/** Markdown as GitHub reads it, by a parser that is not ours. */
export interface Rendered {
  /** The names of all elements in order, including those written as HTML. */
  readonly elements: readonly string[];
  /** The headings outside of quotations, such as `h2 What was done`. */
  readonly headings: readonly string[];
  /** The text outside of code, in which a forge acts. */
  readonly prose: string;
  /** The text outside of quotations. */
  readonly outside: string;
  /** All text. */
  readonly text: string;
}

export function rendered(markdown: string): Rendered {
  const html = htmlOf(markdown, { keepsHtml: true });
  const outside = withoutQuotations(html);
  return {
    elements: Array.from(html.matchAll(/<([a-z][a-z0-9]*|!|\?)/gi), ([, name = '']) => name.toLowerCase()),
    headings: Array.from(outside.matchAll(/<(h[1-6])>(.*?)<\/h[1-6]>/g), ([, level = '', text = '']) =>
      [level, textOf(text)].join(' '),
    ),
    prose: textOf(html.replaceAll(/<code[^>]*>[^]*?<\/code>/g, '')),
    outside: textOf(outside),
    text: textOf(html),
  };
}

/** Whether any HTML in the Markdown would be taken for HTML. */
export function hasHtml(markdown: string): boolean {
  return htmlOf(markdown, { keepsHtml: true }) !== htmlOf(markdown, { keepsHtml: false });
}

function htmlOf(markdown: string, { keepsHtml }: { keepsHtml: boolean }): string {
  return micromark(markdown, {
    allowDangerousHtml: keepsHtml,
    allowDangerousProtocol: true,
    extensions: [gfm()],
    htmlExtensions: [gfmHtml()],
  });
}

/** Everything outside of quotations, however they are nested. */
function withoutQuotations(html: string): string {
  let depth = 0;
  const parts = html.split(/(<\/?blockquote>)/).filter((part) => {
    if (part === '<blockquote>') depth += 1;
    if (part === '</blockquote>') depth -= 1;
    return depth === 0;
  });
  return parts.join('');
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };

function textOf(html: string): string {
  return html.replaceAll(/<[^>]*>/g, '').replaceAll(/&(\w+);/g, (_, name: string) => ENTITIES[name] ?? `&${name};`);
}

/** What GitHub interprets in text: mentions, references, links, mathematics, emoji names, commits. */
export const ACTS_ON_GITHUB =
  /@[a-z0-9]|#\d|\bGH-\d|:\/\/|\bwww\.|\$|:[\w+-]+:|\b(?:GHSA|CVE)-|\b[0-9a-f]{7,40}\b|[\p{Default_Ignorable_Code_Point}]/iu;
