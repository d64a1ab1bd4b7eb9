import { cut, plainOutput, visible, visibleLines } from 'agent-mailroom/workflow';

const SUBJECT_CHARS_MAX = 72;
const BODY_CHARS_MAX = 4_000;

/**
 * Foreign text as a commit message in which nothing acts: neither on git (comments, trailers, `fixup!`), nor on a forge,
 * which acts on mentions, on `closes #2` and on `[skip ci]` in any commit of its branch. The first line is the subject; if
 * that is not the whole text, the whole text follows, indented. `note` is a last paragraph of our own.
 */
export function commitMessage(text: string, { note }: { note?: string } = {}): string {
  const subject = subjectLine(text);
  const body =
    subject === subjectLine(text, { charsMax: Infinity }) && !text.trim().includes('\n') ? '' : bodyText(text);
  return [subject, body, note ?? ''].filter(Boolean).join('\n\n');
}

/** Text as the subject of a commit, or as the title of a pull request, which becomes a subject when commits are squashed. */
export function subjectLine(text: string, { charsMax = SUBJECT_CHARS_MAX }: { charsMax?: number } = {}): string {
  const [first = ''] = plainOutput(text).trim().split('\n', 1);
  const line = first.replaceAll(/\s+/g, ' ').replace(/^(?:#+ ?)+/, '');
  const inert = inertText(visible(line))
    .replaceAll(/^(fixup|squash|amend)!/gi, '$1 !')
    // A trailer may be the only line of a message.
    .replaceAll(/-(?=(?:by|id) ?:)/gi, ' ');
  const short = cut(inert, { charsMax });
  return (short === inert ? inert : short.replace(/\s+\S*…$/, '…')) || 'Untitled';
}

/** An indented line is no comment, no trailer, no scissors line and no beginning of a patch. */
function bodyText(text: string): string {
  const lines = visibleLines(cut(plainOutput(text).trim(), { charsMax: BODY_CHARS_MAX })).split('\n');
  return lines
    .map((line) => `  ${inertText(line)}`.trimEnd())
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n');
}

/** Separates each sign that a forge acts on from what it would act on. The sign stays visible. */
function inertText(line: string): string {
  return line
    .replaceAll(/@(?=[a-z0-9])|#(?=\d)/gi, '$& ')
    .replaceAll(/\bGH-(?=\d)/gi, '$& ')
    .replaceAll('://', ': //')
    .replaceAll(/\bwww(?=\.)/gi, '$& ')
    .replaceAll(/\[([^[\]]*\b(?:ci|skip)\b[^[\]]*)\]|\*{3}(NO_CI)\*{3}/gi, '($1$2)');
}
