import { shellWord } from '../shared/shell-word.ts';
import type { Disagreement } from './disagreement.ts';
import type { Feedback, Issue, OpenIssue } from './feedback.ts';
import type { Change, Review } from './review.ts';
import { electionOf } from './vote.ts';

/** Sent to the author, or to the parent that speaks for the author, when changes are requested. */
export function changesText(subject: TextSubject, answers: readonly Feedback[]): string {
  const { review, change, address, round } = subject;
  const [first] = answers.flatMap(({ issues }) => issues);
  return [
    `Changes are requested in round ${round} of ${review.rounds}: ${change.title}`,
    '',
    ...answers.flatMap((one) => feedbackLines(one)),
    '',
    'To disagree, challenge an issue with evidence (and --as, if you use it); the issue is then put to a vote:',
    '',
    challengeCommand(address, first?.id ?? ''),
  ].join('\n');
}

/** The command that challenges an issue. Sent with its `…` unfilled it does not count. */
function challengeCommand(address: string, issue: string): string {
  return `  mailroom send ${address} CHALLENGE ${shellWord(`${issue} because …; evidence: …`)}`;
}

/** How an author who is asked directly, not through a parent, hands in a revision. */
export function howToRevise(address: string): string {
  return [
    'When you have revised it:',
    '',
    `  mailroom send ${address} COMPLETED 'revised, look again'`,
    '',
    "Name the commit if there is one: COMPLETED 'revised; commit: 1a2b3c4d'.",
  ].join('\n');
}

export type ReviewOutcome =
  | 'approved'
  /** All remaining issues are challenged, so a vote is needed. */
  | 'disagreement'
  | 'rounds-exhausted'
  /** Too few reviewers can be reached. */
  | 'no-reviewers'
  /** Too few reviewers answered. */
  | 'no-answer'
  /** The author did not answer the requested changes. */
  | 'no-revision';

const CONCLUSIONS: Readonly<Record<ReviewOutcome, (subject: TextSubject) => string>> = {
  approved: ({ change, round }) => `Approved in round ${round}: ${change.title}`,
  disagreement: ({ change }) => `Not approved, a vote is needed: ${change.title}`,
  'rounds-exhausted': ({ change, review }) => `Not approved after ${review.rounds} rounds: ${change.title}`,
  'no-reviewers': ({ change, review }) =>
    `Not reviewed, fewer than ${review.reviewersNeeded} reviewers can be reached: ${change.title}`,
  'no-answer': ({ change, review }) =>
    `Not reviewed, fewer than ${review.reviewersNeeded} reviewers answered: ${change.title}`,
  'no-revision': ({ change }) => `Not approved, the author did not answer: ${change.title}`,
};

/** Sent to author and reviewers at the end, with the commands of the votes that are still needed. */
export function conclusionText(
  subject: TextSubject,
  {
    outcome,
    answers,
    open,
    electorate,
  }: {
    readonly outcome: ReviewOutcome;
    readonly answers: readonly Feedback[];
    /** The disagreements that need a vote. */
    readonly open: readonly Disagreement[];
    readonly electorate: readonly string[];
  },
): string {
  return [
    CONCLUSIONS[outcome](subject),
    '',
    ...answers.flatMap((one) => feedbackLines(one)),
    ...(open.length === 0
      ? []
      : ['', 'Start the votes with these commands (machines/ is the folder of the package agent-mailroom):', '']),
    ...open.map((one) => voteCommand(one, electorate)),
  ].join('\n');
}

/** The command that runs the vote, under an address of its own. */
function voteCommand(disagreement: Disagreement, electorate: readonly string[]): string {
  const address = `consensus-engine.${disagreement.issue.replaceAll('.', '-')}`;
  const input = shellWord(JSON.stringify(electionOf(disagreement, electorate)));
  return `  mailroom run machines/consensus.ts --as ${address} --input ${input}`;
}

/** Broadcast for a challenge. Its last line marks it as a disagreement that needs a vote. */
export function disagreementText(
  { change, address }: TextSubject,
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

/** The reply to an answer with a fault: the fault, and how to answer. */
export function correctionText(fault: string, howTo: string): string {
  return `Your message does not count: ${fault}.\n\n${howTo}`;
}

export function correctedChallengeText(fault: string, open: readonly OpenIssue[], address: string): string {
  if (open.length === 0) return correctionText(fault, 'Wait for the answers of the reviewers.');
  const commands = open.map(({ issue }) => challengeCommand(address, issue.id));
  return correctionText(fault, ['Challenge an issue with:', '', ...commands].join('\n'));
}

export function strangerText({ title, author }: Change, reviewers: readonly string[]): string {
  return `Your message does not count. The reviewers of "${title}" are ${reviewers.join(', ')}; the author is ${author}.`;
}

/** The reply to an author who hands in a revision before the round is over. */
export function earlyText({ title }: Change, round: number, reviewers: readonly string[]): string {
  return `Round ${round} of the review of "${title}" still waits for ${reviewers.join(', ')}. Hand in when you have been told what to change.`;
}

/** The reply to a reviewer whose round is over. */
export function lateText({ title, author }: Change, round: number): string {
  return `Round ${round} of the review of "${title}" is over; ${author} is revising. You will be asked again.`;
}

/** The reply to an author whose task comes from the parent of this review. */
export function wrongAddressText({ title }: Change): string {
  return `Your message does not count here. Send it to the one who gave you the task; "${title}" is then reviewed again.`;
}

const FILES_SHOWN_MAX = 50;

/** What a text is about, and where replies to it go. */
export interface TextSubject {
  readonly review: Review;
  /** The current change: with the commit of the last revision. */
  readonly change: Change;
  readonly address: string;
  readonly round: number;
}

/** The request to a reviewer. `note` is the author's note on the revision; empty in the first round. */
export function requestText(
  subject: TextSubject,
  { note, disagreements }: { note: string; disagreements: readonly Disagreement[] },
): string {
  const { review, change, round } = subject;
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
    howToReview(subject),
  ].join('\n');
}

/** How a reviewer answers. A command sent with its `…` unfilled does not count. */
export function howToReview({ address, round }: TextSubject): string {
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
    'Add further issues as lines that begin with a hyphen, or as "; issue: …". Only your last answer in a round counts.',
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

/** `bob (1a2b3c4d)`: a sender and the id of the message. */
function sourceText(who: string, messageId: string): string {
  return `${who} (${messageId.slice(-ID_CHARS_SHOWN)})`;
}

/** The feedback of a reviewer, one line per item. */
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

/** The evidence in brackets, to be appended; empty if there is none. */
function evidenceText(evidence: readonly string[]): string {
  return evidence.length === 0 ? '' : ` [${evidence.join('; ')}]`;
}
