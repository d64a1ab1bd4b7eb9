import { decisionText } from './decision.ts';
import type { ChangeReport } from './change-events.ts';
import type { LoopReport } from './report.ts';

const ID_CHARS_SHOWN = 8;
const COMMIT_CHARS_SHOWN = 10;
const TITLE_CHARS_MAX = 72;
/** GitHub takes 65,536. */
const BODY_CHARS_MAX = 65_000;

/** What was done, decided and by whom, with the ids of the messages as evidence: Markdown. */
export function pullRequestText(
  { feature, branch, base, findings, planSource, changes, tests }: LoopReport,
  { head, commits, diffStat }: { head: string; commits: readonly string[]; diffStat: string },
): string {
  const merged = changes.filter(({ outcome }) => outcome === 'merged');
  const others = changes.filter(({ outcome }) => outcome !== 'merged');
  const decisions = changes.flatMap((one) => one.decisions);
  const last = tests.at(-1);
  return [
    `# ${titleOf(feature)}`,
    '',
    bodyOf(feature),
    '',
    `Branch \`${branch}\` at \`${short(head)}\`, ${commits.length} commits ahead of \`${short(base)}\`.`,
    '',
    '## What was done',
    '',
    ...merged.flatMap((change) => changeLines(change)),
    ...(others.length === 0 ? [] : ['', '## What was tried and not taken', '', ...others.map((one) => lostLine(one))]),
    '',
    '## What was decided',
    '',
    ...(decisions.length === 0
      ? ['No disagreements to resolve.']
      : decisions.flatMap((decision) => [
          ...decisionText(decision)
            .split('\n')
            .map((line) => `> ${line}`),
          '',
          ...decision.votes.map(
            ({ voter, option, evidence, messageId }) =>
              `- ${voter} voted ${option} (${idOf(messageId)})${evidence.length === 0 ? '' : `: ${evidence.join('; ')}`}`,
          ),
          '',
        ])),
    '',
    '## How it was tested',
    '',
    ...tests.map(
      ({ command, exitCode }, at) =>
        `- run ${at + 1}: \`${command}\` → ${exitCode === null ? 'timed out' : `exit code ${exitCode}`}`,
    ),
    ...(last === undefined ? [] : ['', '```text', ...tailOf(last.output), '```']),
    '',
    '## How it was planned',
    '',
    `The plan is from ${planSource}.`,
    ...(findings === null ? [] : [`${findings.by} looked around first (${idOf(findings.messageId)}).`]),
    '',
    '```text',
    diffStat,
    '```',
    '',
  ].join('\n');
}

/** The same without the heading that is its title, as long as GitHub takes it. */
export function pullRequestBody(text: string): string {
  const body = bodyOf(text);
  return body.length > BODY_CHARS_MAX ? `${body.slice(0, BODY_CHARS_MAX)}…\n` : body;
}

function changeLines({ taskId, title, agent, epoch, submissions, reviews, conflicts, merge }: ChangeReport): string[] {
  const rounds = reviews.flatMap((review) =>
    review.feedback.map(({ reviewer, verdict, messageId, issues }) => {
      const why = issues.map(({ description }) => description.split('\n', 1)[0] ?? '').join('; ');
      return `  - ${reviewer}: ${verdict} (${idOf(messageId)})${why === '' ? '' : `: ${why}`}`;
    }),
  );
  return [
    `- **${title}** (\`${taskId}\`), by ${agent}${epoch > 1 ? `, in its attempt ${epoch}` : ''}, merged as \`${short(merge ?? '')}\``,
    ...submissions.map(
      ({ commit, summary, messageId }) =>
        `  - ${agent} handed in \`${short(commit)}\` (${idOf(messageId)}): ${summary.split('\n', 1)[0] ?? ''}`,
    ),
    ...rounds,
    ...(conflicts === 0 ? [] : [`  - conflicted with what was merged before, and was mended (${conflicts} times)`]),
  ];
}

function lostLine({ taskId, title, agent, epoch, outcome, submissions }: ChangeReport): string {
  const handed = submissions.length === 0 ? 'nothing handed in' : `${submissions.length} commits handed in`;
  return `- ${title} (\`${taskId}\`) by ${agent}, attempt ${epoch}: ${outcome}, ${handed}`;
}

/** The first line of what is to be built, of a length that can be read. */
export function titleOf(feature: string): string {
  const [first = ''] = feature.split('\n', 1);
  const plain = first.replace(/^#+\s*/, '');
  return plain.length > TITLE_CHARS_MAX ? `${plain.slice(0, TITLE_CHARS_MAX - 1)}…` : plain;
}

/** Without the heading that is the title. */
function bodyOf(feature: string): string {
  return feature.replace(/^#+ [^\n]*\n+/, '');
}

function tailOf(output: string): string[] {
  return output.replaceAll('```', "'''").split('\n').slice(-12);
}

function short(commit: string): string {
  return commit.slice(0, COMMIT_CHARS_SHOWN);
}

function idOf(messageId: string): string {
  return messageId.slice(-ID_CHARS_SHOWN);
}
