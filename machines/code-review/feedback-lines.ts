import type { Feedback, Issue } from './feedback.ts';

const ID_CHARS_SHOWN = 8;

/** `bob (1a2b3c4d)`: whose message it is. */
export function sourceText(who: string, messageId: string): string {
  return `${who} (${messageId.slice(-ID_CHARS_SHOWN)})`;
}

/** What a reviewer has said, a line for each thing. */
export function feedbackLines({ reviewer, verdict, issues, suggestions, evidence, messageId }: Feedback): string[] {
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
export function evidenceText(evidence: readonly string[]): string {
  return evidence.length === 0 ? '' : ` [${evidence.join('; ')}]`;
}
