import { shellWord } from '../shared/shell-word.ts';
import type { Disagreement } from './disagreement.ts';
import type { Feedback, Issue, OpenIssue } from './feedback.ts';
import type { Change, Review } from './review.ts';
import { electionOf } from './vote.ts';

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
function challengeCommand(address: string, issue: string): string {
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

/** What everybody hears. Ends in the words by which it is known that a vote is needed. */
export function disagreementText(
  { change, address }: Place,
  { disagreement, isOver }: { readonly disagreement: Disagreement; readonly isOver: boolean },
): string {
  const { issue, topic, positions } = disagreement;
  const howTo = [
    'To take a side, as the author or a reviewer, with evidence:',
    '',
    challengeCommand(address, issue),
    '',
  ];
  return [
    `Disagreement on the review of: ${change.title}`,
    '',
    topic,
    ...positions.map(
      ({ who, position, evidence, messageId }) =>
        `  ${sourceText(who, messageId)}: ${position}${evidenceText(evidence)}`,
    ),
    '',
    ...(isOver ? [] : howTo),
    'Need consensus vote!',
  ].join('\n');
}

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

const FILES_SHOWN_MAX = 50;

/** What a text is about, and where its answers go. */
export interface Place {
  readonly review: Review;
  /** As it is now: with the commit of the last revision. */
  readonly change: Change;
  readonly address: string;
  readonly round: number;
}

/** What a reviewer is asked. `note` is what the author has said of the revision; empty in the first round. */
export function requestText(
  place: Place,
  { note, disagreements }: { note: string; disagreements: readonly Disagreement[] },
): string {
  const { review, change, round } = place;
  const challenged = disagreements.flatMap(({ topic, positions }) => [
    `Challenged: ${topic}`,
    ...positions.slice(1).map(({ who, position, evidence }) => `  ${who}: ${position}${evidenceText(evidence)}`),
  ]);
  return [
    `Please review my changes: ${change.title}`,
    '',
    `By ${change.author}, round ${round} of ${review.rounds}.`,
    ...(change.description === undefined ? [] : ['', change.description, '']),
    ...(note === '' ? [] : [`${change.author} says: ${note}`]),
    ...challenged,
    ...placeLines(change),
    '',
    howToReview(place),
  ].join('\n');
}

/** How a reviewer answers. What has to be filled in counts for nothing as long as it is not. */
export function howToReview({ address, round }: Place): string {
  const about = shellWord(JSON.stringify({ round }));
  const data = {
    round,
    verdict: 'request-changes',
    issues: [{ description: '…', file: '…', evidence: ['…'] }],
    suggestions: ['…'],
  };
  return [
    'Answer with one of these commands (with your --as, if you use it):',
    '',
    `  mailroom send ${address} REVIEW-FEEDBACK 'approve' --data ${about}`,
    `  mailroom send ${address} REVIEW-FEEDBACK 'request-changes: …; evidence: …; suggestion: …' --data ${about}`,
    `  mailroom send ${address} REVIEW-FEEDBACK 'request-changes' --data ${shellWord(JSON.stringify(data))}`,
    `  mailroom send ${address} BLOCKED 'I cannot review this'`,
    '',
    'Further issues are lines that begin with a hyphen, or "; issue: …". Of your answers in a round the last one counts.',
  ].join('\n');
}

function placeLines({ branch, commit, base, directory, files }: Change): string[] {
  const facts = Object.entries({ Branch: branch, Commit: commit, Base: base, Directory: directory });
  const more = (files?.length ?? 0) - FILES_SHOWN_MAX;
  return [
    ...facts.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`])),
    ...(files?.length
      ? [`Files: ${files.slice(0, FILES_SHOWN_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`]
      : []),
    ...diffLine({ directory, base, commit: commit ?? branch }),
  ];
}

function diffLine({ directory, base, commit }: Record<'directory' | 'base' | 'commit', string | undefined>): string[] {
  if (base === undefined || commit === undefined) return [];
  const where = directory === undefined ? '' : ` -C ${shellWord(directory)}`;
  return ['', `  git${where} diff --no-color --no-ext-diff --no-textconv ${shellWord(`${base}...${commit}`)}`];
}

const ID_CHARS_SHOWN = 8;

/** `bob (1a2b3c4d)`: whose message it is. */
function sourceText(who: string, messageId: string): string {
  return `${who} (${messageId.slice(-ID_CHARS_SHOWN)})`;
}

/** What a reviewer has said, a line for each thing. */
function feedbackLines({ reviewer, verdict, issues, suggestions, evidence, messageId }: Feedback): string[] {
  return [
    `${sourceText(reviewer, messageId)}: ${verdict}`,
    ...issues.map((issue) => issueText(issue)),
    ...suggestions.map((one) => `  suggestion: ${one}`),
    ...evidence.map((one) => `  evidence: ${one}`),
  ];
}

function issueText({ id, description, file, evidence }: Issue): string {
  return `  ${id}  ${description}${file === undefined ? '' : ` (${file})`}${evidenceText(evidence)}`;
}

/** Behind what it is for, where there is some. */
function evidenceText(evidence: readonly string[]): string {
  return evidence.length === 0 ? '' : ` [${evidence.join('; ')}]`;
}
