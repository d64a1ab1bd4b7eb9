import { printfText, quote } from '../host/shell-word.ts';
import { visibleLines } from '../message/visible.ts';

/** Bytes of one word that may go on a command line; Linux allows 128 KiB (execve(2)). */
const WORD_BYTES_MAX = 100_000;
/** The standard input, and the end of the options. */
const MEANS_MORE = ['-', '--'];

/** What means the same between double quotes, and is no command of ours, which would be looked for outside of single ones. */
const PLAIN_IN_QUOTES = /^(?!.*\bmailroom\b)[^"$`\\!]+$/;

/**
 * A command of this program as it can be given to any POSIX shell again. The word at `contentAt` stands in quotes also where
 * no shell needs them: they show a reader that it is one word.
 */
export function commandLine(words: readonly string[], contentAt?: number): string {
  return ['mailroom', ...words.map((word, at) => (at === contentAt ? quoteContent(word) : quote(word)))].join(' ');
}

function quoteContent(text: string): string {
  const isPlain = PLAIN_IN_QUOTES.test(text) && visibleLines(text) === text && !text.includes('\n');
  return isPlain && !MEANS_MORE.includes(text) ? `"${text}"` : quote(text);
}

/** The same, where one word is what the command could also read from its standard input with `-`. */
export function commandLineWithContent(words: readonly string[], content: { at: number; text: string }): string {
  const { at, text } = content;
  const isWord = !MEANS_MORE.includes(text) && visibleLines(text) === text && Buffer.byteLength(text) <= WORD_BYTES_MAX;
  const line = commandLine(words.with(at, isWord ? text : '-'));
  return isWord ? line : `printf '%b' ${printfText(text)} | ${line}`;
}
