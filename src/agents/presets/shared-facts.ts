import type { Expansion, FinalFailure } from '../preset.ts';

/** How long a program that reports progress may make none. */
export const IDLE_MS = 15 * 60_000;

/** The backslash goes before the sign, because these programs expand only an at sign that stands free. */
export const AT_SIGN = {
  form: '@path',
  find: /@/g,
  plain: '\\@',
  told: 'In the text above each at sign has a backslash before it that its author did not write. Leave the backslash out wherever you write one.',
} as const satisfies Omit<Expansion, 'seenIn'>;

/** A mistyped option, as reported by the command-line libraries of these programs. */
export const BAD_OPTION = {
  what: 'does not know one of its options',
  advice: 'Correct the words after -- where the agent is started.',
  text: /^error: (?:unknown option|unexpected argument)|^Unknown arguments?: /,
} as const satisfies Omit<FinalFailure, 'seenIn'>;
