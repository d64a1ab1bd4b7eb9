import { z } from 'zod';
import { plain, readClauses } from '../shared/text.ts';
import { distinctEvidence } from '../consensus/election.ts';
import { saysSomething, type OpenIssue } from './feedback.ts';

/** One side's position in a disagreement, and the message that carried it. */
export interface IssuePosition {
  /** The verified sender. */
  readonly who: string;
  readonly position: string;
  readonly evidence: readonly string[];
  readonly messageId: string;
}

/** A challenged issue. */
export interface Disagreement {
  /** The id of the issue. */
  readonly issue: string;
  readonly round: number;
  readonly topic: string;
  /** The reviewer's first, then those of the challengers. */
  readonly positions: readonly IssuePosition[];
}

export type ChallengeReading = { readonly challenge: Challenge } | { readonly fault: string };

interface Challenge {
  readonly against: OpenIssue;
  readonly position: IssuePosition;
}

const POSITION_CHARS_MAX = 2_000;
const EVIDENCE_BYTES_MAX = 4 * 1_024;
const DISAGREEMENTS_BYTES_MAX = 64 * 1_024;

const challengeData = z.object({
  issue: z.string().optional(),
  position: z.string().optional(),
  evidence: z.union([z.string().transform((one) => [one]), z.array(z.string())]).default([]),
});

interface ChallengeMessage {
  readonly from: string;
  readonly content: string;
  readonly data: unknown;
  readonly messageId: string;
}

/**
 * Reads a challenge: `<issue> because …; evidence: …`, or the same in the data as `issue`, `position`, `evidence`. The issue
 * may be omitted if only one is by another sender.
 */
export function readChallenge(
  { from, content, data, messageId }: ChallengeMessage,
  open: readonly OpenIssue[],
): ChallengeReading {
  const parsed = challengeData.safeParse(data ?? {});
  if (!parsed.success) {
    const [{ path, message } = { path: [], message: '' }] = parsed.error.issues;
    return { fault: `${['data', ...path].join('.')}: ${message}` };
  }
  const others = open.filter(({ feedback }) => feedback.reviewer !== from);
  const known = others.map(({ issue }) => issue.id);
  const named = parsed.data.issue ?? open.map(({ issue }) => issue.id).find((id) => content.trim().startsWith(id));
  if (known.length === 0) return { fault: 'there is no issue for you to challenge' };
  const wanted = named ?? (known.length === 1 ? known[0] : undefined);
  const against = others.find(({ issue }) => issue.id === wanted);
  if (!against) return { fault: `it names none of the open issues by others: ${known.join(', ')}` };
  const { named: clauses, rest } = readClauses(content.trim().replace(wanted ?? '', ''), ['evidence']);
  const written = rest.join('; ').replace(/^[\s:,–—-]*(?:because\b)?/iu, '');
  const position = plain((parsed.data.position ?? written).replaceAll(/\s+/gu, ' '));
  if (!saysSomething(position)) return { fault: 'it gives no reason' };
  if (position.length > POSITION_CHARS_MAX) {
    return { fault: `the position has ${position.length} characters, at most ${POSITION_CHARS_MAX}` };
  }
  const evidence = distinctEvidence([...parsed.data.evidence, ...clauses('evidence')]);
  const bytes = Buffer.byteLength(JSON.stringify(evidence));
  if (bytes > EVIDENCE_BYTES_MAX) return { fault: `the evidence has ${bytes} bytes, at most ${EVIDENCE_BYTES_MAX}` };
  return { challenge: { against, position: { who: from, position, evidence, messageId } } };
}

/** The disagreement in which the message is a position. */
export function disagreementBy(disagreements: readonly Disagreement[], messageId: string): Disagreement {
  const found = disagreements.find(({ positions }) => positions.some((position) => position.messageId === messageId));
  if (!found) throw new TypeError(`message ${messageId} is a position in no disagreement`);
  return found;
}

/** Adds a position; of each challenger of an issue the last one sent is kept. Undefined if the result would be too large. */
export function withChallenge(
  before: readonly Disagreement[],
  { against: { issue, feedback }, position }: Challenge,
): readonly Disagreement[] | undefined {
  const found = before.find((one) => one.issue === issue.id);
  const disagreement = found ?? {
    issue: issue.id,
    round: feedback.round,
    topic: issue.file === undefined ? issue.description : `${issue.description} (${issue.file})`,
    positions: [
      {
        who: feedback.reviewer,
        position: issue.description,
        evidence: issue.evidence.length > 0 ? issue.evidence : feedback.evidence,
        messageId: feedback.messageId,
      },
    ],
  };
  const same = disagreement.positions.find(({ who }) => who === position.who);
  if (same && same.messageId >= position.messageId) return before;
  const [first, ...others] = disagreement.positions.filter((one) => one !== same);
  const positions = [
    ...(first ? [first] : []),
    ...[...others, position].sort((a, b) => (a.messageId < b.messageId ? -1 : 1)),
  ];
  const after = [...before.filter((one) => one !== found), { ...disagreement, positions }];
  return Buffer.byteLength(JSON.stringify(after)) > DISAGREEMENTS_BYTES_MAX ? undefined : after;
}
