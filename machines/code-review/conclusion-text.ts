import { shellWord } from '../shared/shell-word.ts';
import type { Disagreement } from './disagreement.ts';
import type { Feedback } from './feedback.ts';
import { feedbackLines } from './feedback-lines.ts';
import type { Place } from './request-text.ts';
import { electionOf } from './vote.ts';

export type Outcome =
  | 'approved'
  /** All that is left to change is challenged: it takes a vote. */
  | 'disagreement'
  | 'rounds-exhausted'
  /** There are not enough reviewers, or none that mail reaches. */
  | 'no-reviewers'
  /** There are not enough reviewers who answer. */
  | 'no-answer'
  /** The author has not answered the changes that were requested. */
  | 'no-revision';

const CONCLUSIONS: Readonly<Record<Outcome, (place: Place) => string>> = {
  approved: ({ change, round }) => `Approved in round ${round}: ${change.title}`,
  disagreement: ({ change }) => `Not approved, it needs a vote: ${change.title}`,
  'rounds-exhausted': ({ change, review }) => `Not approved after ${review.rounds} rounds: ${change.title}`,
  'no-reviewers': ({ change, review }) =>
    `Not reviewed, it takes ${review.reviewersNeeded} reviewers who can be reached: ${change.title}`,
  'no-answer': ({ change, review }) =>
    `Not reviewed, it takes ${review.reviewersNeeded} reviewers who answer: ${change.title}`,
  'no-revision': ({ change }) => `Not approved, the author has not answered: ${change.title}`,
};

/** What those who took part are told in the end; with the votes that it takes, by the electorate. */
export function conclusionText(
  place: Place,
  {
    outcome,
    answers,
    open,
    electorate,
  }: {
    readonly outcome: Outcome;
    readonly answers: readonly Feedback[];
    /** The disagreements that take a vote. */
    readonly open: readonly Disagreement[];
    readonly electorate: readonly string[];
  },
): string {
  return [
    CONCLUSIONS[outcome](place),
    '',
    ...answers.flatMap((one) => feedbackLines(one)),
    ...(open.length === 0 ? [] : ['', 'Vote by these (machines/ is where those of agent-mailroom lie):', '']),
    ...open.map((one) => voteCommand(one, electorate)),
  ].join('\n');
}

/** The line that runs the vote, under an address of its own. */
function voteCommand(disagreement: Disagreement, electorate: readonly string[]): string {
  const address = `consensus-engine.${disagreement.issue.replaceAll('.', '-')}`;
  const input = shellWord(JSON.stringify(electionOf(disagreement, electorate)));
  return `  mailroom run machines/consensus.ts --as ${address} --input ${input}`;
}
