import { visible, visibleLines } from '../visible.ts';

const PLAIN = /^[\w@%+=:,./-]+$/;

/**
 * Quotes one word for a POSIX shell. Characters that would act on a terminal are spelled with printf(1), so that the
 * line can be shown.
 */
export function quote(word: string): string {
  if (PLAIN.test(word)) return word;
  if (visibleLines(word) !== word) return `"$(printf '%b' ${printfText(word)})"`;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * The text as the argument of printf's %b (POSIX printf(1)): octal bytes for characters that are special or cannot be
 * shown.
 */
export function printfText(text: string): string {
  const spelled = Array.from(text, (char) => {
    if (char === '\\') return '\\\\';
    if (char === '\n') return '\\n';
    if (char !== "'" && visible(char) === char) return char;
    return [...Buffer.from(char)].map((byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join('');
  });
  return `'${spelled.join('')}'`;
}
