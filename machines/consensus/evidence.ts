import { folded, plain } from '../poll-tally.ts';

/**
 * Each item once, as it was first written; two are one when they differ in nothing but capitals and spaces. Items without
 * a letter or a digit say nothing and are left out.
 */
export function distinctEvidence(items: readonly string[]): string[] {
  const distinct = new Map<string, string>();
  for (const item of items) {
    const key = folded(item.replaceAll(/\s+/gu, ' '));
    if (/[\p{L}\p{N}]/u.test(key) && !distinct.has(key)) distinct.set(key, plain(item.replaceAll(/\s+/gu, ' ')));
  }
  return [...distinct.values()];
}
