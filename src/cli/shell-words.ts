import { visible, visibleLines } from '../message/visible.ts';

/** Bytes of one word that may go on a command line; Linux allows 128 KiB (execve(2)). */
const WORD_BYTES_MAX = 100_000;
const PLAIN = /^[\w@%+=:,./-]+$/;

/** A command of this program as it can be given to any POSIX shell again. */
export function commandLine(words: readonly string[]): string {
  return ['mailroom', ...words].map(quote).join(' ');
}

/** The same, where one word is what the command could also read from its standard input with `-`. */
export function commandLineWithContent(words: readonly string[], content: { at: number; text: string }): string {
  const { at, text } = content;
  const isWord = text !== '-' && visibleLines(text) === text && Buffer.byteLength(text) <= WORD_BYTES_MAX;
  const line = commandLine(words.with(at, isWord ? text : '-'));
  return isWord ? line : `printf '%b' ${printfText(text)} | ${line}`;
}

/** One word for a POSIX shell. What would act on a terminal is spelled with printf(1), so that the line can be shown. */
export function quote(word: string): string {
  if (PLAIN.test(word)) return word;
  if (visibleLines(word) !== word) return `"$(printf '%b' ${printfText(word)})"`;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The text as the argument of printf's %b (POSIX printf(1)): octal bytes for what cannot be shown or means something. */
function printfText(text: string): string {
  const spelled = Array.from(text, (char) => {
    if (char === '\\') return '\\\\';
    if (char === '\n') return '\\n';
    if (char !== "'" && visible(char) === char) return char;
    return [...Buffer.from(char)].map((byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join('');
  });
  return `'${spelled.join('')}'`;
}
