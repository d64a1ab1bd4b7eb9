import { greatest, type Score } from './algorithms.ts';

export type TieBreak = 'research-quality' | 'safer' | 'expert';

interface Tie {
  /** Of the options that share the first place, at least two. */
  readonly tied: readonly Score[];
  /** The options that are declared the safer ones. */
  readonly safer: readonly string[];
  /** What the named expert has voted for; undefined where there is none, or no vote. */
  readonly expertsChoice: string | undefined;
}

/**
 * Breaks a tie by the first of these that leaves one option: the best research, the safer one, the expert's vote. One that
 * leaves several still takes the others out. Undefined when several are left in the end.
 */
export function breakTie({ tied, safer, expertsChoice }: Tie): { option: string; tieBreak: TieBreak } | undefined {
  const breaks: readonly (readonly [tieBreak: TieBreak, narrow: (left: readonly Score[]) => Score[]])[] = [
    ['research-quality', (left) => greatest(left, ({ researchQuality }) => researchQuality ?? 0)],
    ['safer', (left) => left.filter(({ option }) => safer.includes(option))],
    ['expert', (left) => left.filter(({ option }) => option === expertsChoice)],
  ];
  let left = tied;
  for (const [tieBreak, narrow] of breaks) {
    const narrowed = narrow(left);
    const [only, ...others] = narrowed;
    if (only && others.length === 0) return { option: only.option, tieBreak };
    if (only) left = narrowed;
  }
  return undefined;
}
