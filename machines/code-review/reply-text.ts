import { challengeCommand } from './author-text.ts';
import type { OpenIssue } from './feedback.ts';
import type { Change } from './review.ts';

/** What is wrong with an answer, and how to give it. */
export function correctionText(fault: string, howTo: string): string {
  return `It does not count, ${fault}.\n\n${howTo}`;
}

export function correctedChallengeText(fault: string, open: readonly OpenIssue[], address: string): string {
  if (open.length === 0) return correctionText(fault, 'Wait for what the reviewers say.');
  const commands = open.map(({ issue }) => challengeCommand(address, issue.id));
  return correctionText(fault, ['Challenge an issue with:', '', ...commands].join('\n'));
}

export function strangerText({ title, author }: Change, reviewers: readonly string[]): string {
  return `It does not count. The review of "${title}" is by ${reviewers.join(', ')}, and the change by ${author}.`;
}

/** For an author who is too early. */
export function earlyText({ title }: Change, round: number, reviewers: readonly string[]): string {
  return `Round ${round} of the review of "${title}" waits for ${reviewers.join(', ')}. Say it when you are told what to change.`;
}

/** For a reviewer whose round is over. */
export function lateText({ title, author }: Change, round: number): string {
  return `Round ${round} of the review of "${title}" is over, and it is the turn of ${author}. You are asked again.`;
}

/** For an author who is led by somebody else. */
export function ledText({ title }: Change): string {
  return `It does not count here. Say it to whoever has given you the task; then "${title}" is looked at again.`;
}
