import { z } from 'zod';
import { plain, echo, readClauses } from '../shared/text.ts';
import { distinctEvidence } from '../consensus/election.ts';
import type { Review } from './review.ts';

export type Verdict = 'approve' | 'request-changes';

/** Something that must change. */
export interface Issue {
  /** The last 8 characters of the message's id, and a number: `1a2b3c4d.1`. */
  readonly id: string;
  readonly description: string;
  readonly file?: string | undefined;
  readonly evidence: readonly string[];
}

/** What a reviewer has said in a round, by the message that it was. */
export interface Feedback {
  /** From 1 on. */
  readonly round: number;
  /** The verified sender. */
  readonly reviewer: string;
  readonly verdict: Verdict;
  readonly issues: readonly Issue[];
  readonly suggestions: readonly string[];
  readonly evidence: readonly string[];
  readonly messageId: string;
}

/** An issue, with the feedback that it is of. */
export interface OpenIssue {
  readonly issue: Issue;
  readonly feedback: Feedback;
}

/** What is read out of a message: feedback, why it is a bad one, or that it is none. */
export type FeedbackReading =
  { readonly feedback: Omit<Feedback, 'round' | 'reviewer'> } | { readonly fault: string } | { readonly isNone: true };

const ID_CHARS = 8;
const ISSUE_CHARS_MAX = 2_000;
const FEEDBACK_BYTES_MAX = 16 * 1_024;
/** All feedback together is in one message, the result for a parent. */
const ALL_BYTES_MAX = 96 * 1_024;

const items = z.union([z.string().transform((one) => [one]), z.array(z.string())]).default([]);
const feedbackData = z.object({
  verdict: z.enum(['approve', 'request-changes']).optional(),
  issues: z
    .array(
      z.union([
        z.string().transform((description) => ({ description, file: undefined, evidence: [] as string[] })),
        z.object({ description: z.string(), file: z.string().optional(), evidence: items }),
      ]),
    )
    .default([]),
  suggestions: items,
  evidence: items,
  round: z.number().int().optional(),
});

const PREFIX = /^\s*review:/i;
const APPROVAL = /^(?:approved?|lgtm)(?![\w-])/i;
const REQUEST = /^(?:request[- ]changes|changes[- ]requested|reject(?:ed)?)(?![\w-])/i;
/** `approve once the tests pass` is no approval. */
const CONDITION = /\b(?:if|once|when|unless|until|after|but|except|provided|assuming|not|never|cannot)\b|n['’]t\b/i;

interface Said {
  readonly type: string;
  readonly content: string;
  readonly data: unknown;
  readonly messageId: string;
}

/**
 * Reads a reviewer's feedback out of a message. A REVIEW-FEEDBACK is meant as one, and so is an INFO that begins with
 * `review:` or with a verdict, or has one in its data; every other INFO is none. In words it is `approve`, or
 * `request-changes: <issue>`, with further issues on lines that begin with a hyphen or behind `; issue:`, and
 * `; suggestion: …`, `; evidence: …`. The data says the same by name, and its verdict goes before.
 */
export function readFeedback(
  said: Said,
  { review, round }: { readonly review: Review; readonly round: number },
): FeedbackReading {
  const { type, content, data, messageId } = said;
  const text = content.replace(PREFIX, '').trim();
  const parsed = feedbackData.safeParse(data ?? {});
  const written = verdictIn(text);
  const isMeant = type === 'REVIEW-FEEDBACK' || PREFIX.test(content) || written !== undefined;
  if (!isMeant && !(parsed.success && parsed.data.verdict)) return { isNone: true };
  if (!parsed.success) {
    const [{ path, message } = { path: [], message: '' }] = parsed.error.issues;
    return { fault: `${['data', ...path].join('.')}: ${message}` };
  }
  const verdict = parsed.data.verdict ?? written;
  if (verdict === undefined) return { fault: `${echo(text)} has no verdict` };
  if (verdict === 'approve' && parsed.data.verdict === undefined && isConditional(text)) {
    return { fault: 'an approval with a condition is none: request changes, or say the rest as "; suggestion: …"' };
  }
  if (parsed.data.round !== undefined && parsed.data.round !== round) {
    return { fault: `it is about round ${parsed.data.round}, and this is round ${round}` };
  }
  const feedback = feedbackOf({ verdict, parsed: parsed.data, text: written === undefined ? '' : text, messageId });
  return faultOf(feedback, review) ?? { feedback };
}

function verdictIn(text: string): Verdict | undefined {
  if (APPROVAL.test(text)) return 'approve';
  return REQUEST.test(text) ? 'request-changes' : undefined;
}

function isConditional(text: string): boolean {
  const [firstClause = ''] = text.split(/[;\n]/u);
  const rest = firstClause.replace(APPROVAL, '').trim();
  return !/^(?::|because\b)/i.test(rest) && CONDITION.test(rest);
}

function feedbackOf({
  verdict,
  parsed,
  text,
  messageId,
}: {
  verdict: Verdict;
  parsed: z.output<typeof feedbackData>;
  text: string;
  messageId: string;
}): Omit<Feedback, 'round' | 'reviewer'> {
  const { named, rest } = readClauses(text, ['issue', 'suggestion', 'evidence']);
  const written = verdict === 'approve' ? [] : [...issuesIn(rest), ...named('issue')];
  const described = [
    ...parsed.issues,
    ...written.map((description) => ({ description, file: undefined, evidence: [] as string[] })),
  ];
  const distinct = described
    .map((issue) => ({ ...issue, description: plain(issue.description.replaceAll(/\s+/gu, ' ')) }))
    .filter(({ description }, at, all) => all.findIndex((one) => one.description === description) === at)
    .filter(({ description }) => saysSomething(description));
  return {
    verdict,
    issues: distinct.map(({ description, file, evidence }, at) => ({
      id: `${messageId.slice(-ID_CHARS)}.${at + 1}`,
      description,
      ...(file === undefined ? {} : { file }),
      evidence: distinctEvidence(evidence),
    })),
    suggestions: [...parsed.suggestions, ...named('suggestion')].filter((one) => saysSomething(one)),
    evidence: distinctEvidence([...parsed.evidence, ...named('evidence')]),
    messageId,
  };
}

/** The issues behind the verdict: each line with a hyphen is one, else all of it is. */
function issuesIn(clauses: readonly string[]): string[] {
  const [first = '', ...others] = clauses;
  const behind = first.replace(REQUEST, '').replace(/^[\s:,.–—-]+/u, '');
  const all = [behind, ...others].filter((one) => one !== '');
  const listed = all.filter((one) => LISTED.test(one)).map((one) => one.replace(LISTED, ''));
  return listed.length > 0 ? listed : [all.join('; ')];
}

const LISTED = /^(?:[-*•]|\d+[.)])\s+/u;

function faultOf(
  { verdict, issues, ...rest }: Omit<Feedback, 'round' | 'reviewer'>,
  review: Review,
): { fault: string } | undefined {
  if (verdict === 'request-changes' && issues.length === 0) return { fault: 'it does not say what must change' };
  if (verdict === 'approve' && issues.length > 0) {
    return { fault: 'an approval has no issues: request changes, or give them as suggestions' };
  }
  const long = issues.find(({ description, file = '' }) => description.length + file.length > ISSUE_CHARS_MAX);
  if (long) return { fault: `an issue has more than ${ISSUE_CHARS_MAX} characters: ${echo(long.description)}` };
  const bytes = Buffer.byteLength(JSON.stringify({ issues, ...rest }));
  const bytesMax = Math.min(FEEDBACK_BYTES_MAX, Math.floor(ALL_BYTES_MAX / (review.rounds * review.reviewersNeeded)));
  if (bytes <= bytesMax) return undefined;
  return { fault: `it has ${bytes} bytes, at most ${bytesMax}; name files and lines instead of quoting them` };
}

export function saysSomething(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}
