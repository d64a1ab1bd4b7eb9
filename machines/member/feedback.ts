import { cut } from 'agent-mailroom/workflow';
import { z } from 'zod';
import type { ShellRan } from '../shared/run-program.ts';
import type { Thought } from './case.ts';

/** What the mind says of a change. */
export const verdictAnswer = z.object({
  verdict: z.enum(['approve', 'request-changes']),
  /** In a sentence. */
  summary: z.string(),
  issues: z.array(
    z.object({ description: z.string(), file: z.string().optional(), evidence: z.array(z.string()).optional() }),
  ),
  suggestions: z.array(z.string()),
  evidence: z.array(z.string()),
});

/** The data of a REVIEW-FEEDBACK. */
export interface MemberFeedback {
  readonly verdict: 'approve' | 'request-changes';
  readonly issues: readonly { readonly description: string; readonly file?: string; readonly evidence: string[] }[];
  readonly suggestions: readonly string[];
  readonly evidence: readonly string[];
}

const ISSUES_MAX = 6;
const ITEMS_MAX = 4;
const DESCRIPTION_CHARS_MAX = 400;
const ITEM_CHARS_MAX = 160;
/** Below what a review of five rounds takes. */
const BYTES_MAX = 12_000;

/**
 * What is said of a change: by the tests first, and by the mind. A change whose tests fail is never approved, whatever the
 * mind says. Undefined when nobody can say anything.
 */
export function feedbackOf({
  ran,
  diffStat,
  thought,
}: {
  ran: ShellRan;
  diffStat: string;
  thought: Thought;
}): MemberFeedback | undefined {
  const parsed = verdictAnswer.safeParse(thought.data);
  const said = thought.isFailure || !parsed.success ? undefined : parsed.data;
  const hasPassed = ran.exitCode === 0;
  if (hasPassed && !said) return undefined;
  const lines = failingLines(ran);
  const failure = hasPassed
    ? []
    : [
        {
          description: `${howItEnded(ran)}; ${lines[0] ?? 'no output'}`,
          evidence: [howItEnded(ran), ...lines],
        },
      ];
  const wantsChanges = !hasPassed || said?.verdict === 'request-changes';
  const named = (said?.issues ?? []).filter(({ description }) => saysSomething(description));
  const summary = said && saysSomething(said.summary) ? said.summary : 'the reviewer wants changes but names none';
  const issues = named.length === 0 && hasPassed ? [{ description: summary, evidence: [] }] : named;
  const feedback: MemberFeedback = {
    verdict: wantsChanges ? 'request-changes' : 'approve',
    issues: wantsChanges ? [...failure, ...issues].map((issue) => fittedIssue(issue)).slice(0, ISSUES_MAX) : [],
    // An approval has no issues; what is said beside it is not lost.
    suggestions: items([
      ...(wantsChanges ? [] : named.map(({ description }) => description)),
      ...(said?.suggestions ?? []),
    ]),
    evidence: items([howItEnded(ran), diffStat, ...(said?.evidence ?? [])]),
  };
  return fitted(feedback);
}

function fittedIssue({
  description,
  file,
  evidence = [],
}: {
  description: string;
  file?: string | undefined;
  evidence?: readonly string[] | undefined;
}): MemberFeedback['issues'][number] {
  return {
    description: cut(oneLine(description), { charsMax: DESCRIPTION_CHARS_MAX }),
    ...(file === undefined ? {} : { file: cut(file, { charsMax: ITEM_CHARS_MAX }) }),
    evidence: items(evidence),
  };
}

function items(all: readonly string[]): string[] {
  return all
    .map((one) => cut(oneLine(one), { charsMax: ITEM_CHARS_MAX }))
    .filter((one) => one !== '')
    .slice(0, ITEMS_MAX + 2);
}

/** Without the last issues, where it is more than a review takes. */
function fitted(feedback: MemberFeedback): MemberFeedback {
  const { issues, suggestions, evidence } = feedback;
  if (Buffer.byteLength(JSON.stringify(feedback)) <= BYTES_MAX) return feedback;
  if (suggestions.length > 0) return fitted({ ...feedback, suggestions: suggestions.slice(0, -1) });
  if (issues.length > 1) return fitted({ ...feedback, issues: issues.slice(0, -1) });
  return { ...feedback, evidence: evidence.slice(0, 1) };
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/gu, ' ').trim();
}

function saysSomething(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}

const LINES_MAX = 6;
const LINE_CHARS_MAX = 200;
const TELLING = /\bfail|error|not ok\b|✖|✗|✘|assert|expected|panick?ed|traceback|exception/i;
const SUMMARY = /(?:^|\s)0 (?:fail|error)|^\S*\s*(?:fail|failed|failures|errors):? 0\b|^# fail 0$/i;

export function howItEnded({ command, exitCode }: ShellRan): string {
  return `${command}: ${exitCode === null ? 'timed out' : `exit code ${exitCode}`}`;
}

/** The lines that tell what is wrong; the last ones where none looks like it. */
export function failingLines({ output }: ShellRan): string[] {
  const lines = output
    .split('\n')
    .map((line) => cut(line.trim(), { charsMax: LINE_CHARS_MAX }))
    .filter((line) => line !== '');
  const telling = [...new Set(lines.filter((line) => TELLING.test(line) && !SUMMARY.test(line)))];
  return telling.length > 0 ? telling.slice(0, LINES_MAX) : lines.slice(-LINES_MAX);
}
