import { shellWord } from '../shared/shell-word.ts';
import type { Feedback } from './feedback.ts';
import { feedbackLines } from './feedback-lines.ts';
import type { Place } from './request-text.ts';

/** What the author, or whoever leads the author, is told when changes are requested. */
export function changesText(place: Place, answers: readonly Feedback[]): string {
  const { review, change, address, round } = place;
  const [first] = answers.flatMap(({ issues }) => issues);
  return [
    `Changes are requested in round ${round} of ${review.rounds}: ${change.title}`,
    '',
    ...answers.flatMap((one) => feedbackLines(one)),
    '',
    'Who does not agree challenges an issue, with evidence (and --as, if you use it); then it is voted on:',
    '',
    challengeCommand(address, first?.id ?? ''),
  ].join('\n');
}

/** The line that challenges an issue; what has to be filled in counts for nothing as long as it is not. */
export function challengeCommand(address: string, issue: string): string {
  return `  mailroom send ${address} CHALLENGE ${shellWord(`${issue} because …; evidence: …`)}`;
}

/** How the author goes on without a parent. */
export function howToRevise(address: string): string {
  return [
    'When it is revised:',
    '',
    `  mailroom send ${address} COMPLETED 'revised, look again'`,
    '',
    "The commit, if there is one, stands behind it: COMPLETED 'revised; commit: 1a2b3c4d'.",
  ].join('\n');
}
