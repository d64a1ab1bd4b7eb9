import { COMMON_OPTIONS } from './command-spec.ts';

/** The words of a command line, taken apart at the command's name. */
export interface SplitLine {
  /** Undefined when there is none. */
  readonly name: string | undefined;
  /** At which word it stands; behind the last one when there is none. */
  readonly at: number;
  /** All words but the name. */
  readonly rest: readonly string[];
  /** What is asked for before any name. */
  readonly asks: 'help' | 'version' | undefined;
}

/** Common options may stand before the command's name: `mailroom --as alice read`. */
export function splitLine(words: readonly string[]): SplitLine {
  let asks: SplitLine['asks'] = isShortVersion(words) ? 'version' : undefined;
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at] ?? '';
    if (!word.startsWith('-') || word === '-') break;
    if (word === '--help' || word === '-h') asks ??= 'help';
    if (word === '--version') asks ??= 'version';
    if (COMMON_OPTIONS.some(({ name, value }) => value !== undefined && word === `--${name}`)) at += 1;
  }
  return { name: words[at], at, rest: [...words.slice(0, at), ...words.slice(at + 1)], asks };
}

/** `-v` or `-V` and nothing else. With more words it may be meant as another program's `verbose`, and those would not be done. */
function isShortVersion(words: readonly string[]): boolean {
  return words.length === 1 && (words[0] === '-v' || words[0] === '-V');
}
