import { printfText, quote } from '../host/shell-word.ts';
import { visibleLines } from '../message/visible.ts';

/** Bytes of one word on a command line; Linux allows 128 KiB (execve(2)). */
const WORD_BYTES_MAX = 100_000;
/** Words with a meaning of their own: the standard input, and the end of the options. */
const MEANS_MORE = ['-', '--'];

/** Text that means the same between double quotes, and has no `mailroom` in it, which hints would rewrite outside of single quotes. */
const PLAIN_IN_QUOTES = /^(?!.*\bmailroom\b)[^"$`\\!]+$/;

/**
 * A command of this program, quoted for any POSIX shell. The word at `contentAt` is quoted even if no shell needs it: the
 * quotes show a reader that it is one word.
 */
export function commandLine(words: readonly string[], contentAt?: number): string {
  return ['mailroom', ...words.map((word, at) => (at === contentAt ? quoteContent(word) : quote(word)))].join(' ');
}

function quoteContent(text: string): string {
  const isPlain = PLAIN_IN_QUOTES.test(text) && visibleLines(text) === text && !text.includes('\n');
  return isPlain && !MEANS_MORE.includes(text) ? `"${text}"` : quote(text);
}

/** The same for a command with a content; content that no command line can hold is piped in, with `-` in its place. */
export function commandLineWithContent(words: readonly string[], content: { at: number; text: string }): string {
  const { at, text } = content;
  const isWord = !MEANS_MORE.includes(text) && visibleLines(text) === text && Buffer.byteLength(text) <= WORD_BYTES_MAX;
  const line = commandLine(words.with(at, isWord ? text : '-'));
  return isWord ? line : `printf '%b' ${printfText(text)} | ${line}`;
}
