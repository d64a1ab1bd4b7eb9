import { shellWord } from '../shared/shell-word.ts';
import type { Disagreement } from './disagreement.ts';
import { evidenceText } from './feedback-lines.ts';
import type { Change, Review } from './review.ts';

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
