import { z } from 'zod';
import { plain, echo, readClauses } from '../shared/text.ts';
import { distinctEvidence } from '../consensus/election.ts';
import type { Review } from './review.ts';

export type ReviewVerdict = 'approve' | 'request-changes';

/** A requested change. */
export interface Issue {
  /** The last 8 characters of the message's id, and a number: `1a2b3c4d.1`. */
  readonly id: string;
  readonly description: string;
  readonly file?: string | undefined;
  readonly evidence: readonly string[];
}

/** A reviewer's feedback in one round, and the message that carried it. */
export interface Feedback {
  /** Counted from 1. */
  readonly round: number;
  /** The verified sender. */
  readonly reviewer: string;
  readonly verdict: ReviewVerdict;
  readonly issues: readonly Issue[];
  readonly suggestions: readonly string[];
  readonly evidence: readonly string[];
  readonly messageId: string;
}

/** An issue, with the feedback it belongs to. */
export interface OpenIssue {
  readonly issue: Issue;
  readonly feedback: Feedback;
}

/** How a message is read: as feedback, as feedback with a fault, or as no feedback. */
export type FeedbackReading =
  { readonly feedback: Omit<Feedback, 'round' | 'reviewer'> } | { readonly fault: string } | { readonly isNone: true };

const ID_CHARS = 8;
const ISSUE_CHARS_MAX = 2_000;
const FEEDBACK_BYTES_MAX = 16 * 1_024;
/** All feedback together goes into one message, the result for a parent. */
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

interface FeedbackMessage {
  readonly type: string;
  readonly content: string;
  readonly data: unknown;
  readonly messageId: string;
}

/**
 * Reads a reviewer's feedback from a message. A REVIEW-FEEDBACK is feedback, and so is an INFO that begins with `review:` or
 * with a verdict, or has a verdict in its data; any other INFO is not. The text is `approve`, or `request-changes: <issue>`,
 * with further issues on lines that begin with a hyphen or after `; issue:`, and with `; suggestion: …`, `; evidence: …`. The
 * data has the same by name, and its verdict takes precedence.
 */
export function readFeedback(
  received: FeedbackMessage,
  { review, round }: { readonly review: Review; readonly round: number },
): FeedbackReading {
  const { type, content, data, messageId } = received;
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
    return { fault: 'an approval with a condition is none: request changes, or add the rest as "; suggestion: …"' };
  }
  if (parsed.data.round !== undefined && parsed.data.round !== round) {
    return { fault: `it is about round ${parsed.data.round}, and this is round ${round}` };
  }
  const feedback = feedbackOf({ verdict, parsed: parsed.data, text: written === undefined ? '' : text, messageId });
  return faultOf(feedback, review) ?? { feedback };
}

function verdictIn(text: string): ReviewVerdict | undefined {
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
  verdict: ReviewVerdict;
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

/** The issues after the verdict: each line with a hyphen is one; without such lines the whole text is one. */
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
