import path from 'node:path';
import { subjectLine } from '../shared/commit-message.ts';
import {
  codeBlock,
  codeSpan,
  markdownDocument,
  markdownText,
  quotedMarkdown,
  type Section,
} from '../shared/markdown.ts';
import { shellWord } from '../shared/shell-word.ts';
import type { ChangeReport } from './change-events.ts';
import { type Decision, decisionText } from './decision.ts';
import type { LoopTerms } from './input.ts';
import type { LoopReport } from './report.ts';
import type { Repository } from './repository.ts';

const ID_CHARS_SHOWN = 8;
const COMMIT_CHARS_SHOWN = 10;
const TITLE_CHARS_MAX = 200;
const ISSUES_CHARS_MAX = 600;
const OUTPUT_LINES_SHOWN = 12;
const FILES_SHOWN = 40;
/** GitHub takes 65,536. */
const BODY_CHARS_MAX = 65_000;

/** What the branch is at. */
export interface BranchFacts {
  readonly head: string;
  readonly commits: readonly string[];
  readonly diffStat: string;
}

/** What was done, decided and by whom, with the ids of the messages as evidence: Markdown, and all of it. */
export function pullRequestText(report: LoopReport, facts: BranchFacts): string {
  const title = markdownText(titleOf(report.feature));
  return `# ${title}\n\n${markdownDocument(sectionsOf(report, facts), { charsMax: Infinity })}`;
}

/** The same without the title, and as much of each section as GitHub takes. */
export function pullRequestBody(report: LoopReport, facts: BranchFacts): string {
  return markdownDocument(sectionsOf(report, facts), { charsMax: BODY_CHARS_MAX });
}

/** The first line of what is to be built, of a length that can be read. */
export function titleOf(feature: string): string {
  return subjectLine(feature);
}

/** Only what is to be built is Markdown of its author, who is the one that opens the pull request. */
function sectionsOf(report: LoopReport, facts: BranchFacts): Section[] {
  const { feature, branch, base, changes, tests } = report;
  const { head, commits } = facts;
  const merged = changes.filter(({ outcome }) => outcome === 'merged');
  const others = changes.filter(({ outcome }) => outcome !== 'merged');
  const decisions = changes.flatMap((one) => one.decisions);
  return [
    // Without the heading that is the title.
    { blocks: quotedMarkdown(feature.replace(/^#+ [^\n]*\n+/, '')) },
    {
      blocks: [
        `Branch ${codeSpan(branch)} at \`${short(head)}\`, ${commits.length} commits ahead of \`${short(base)}\`.`,
      ],
    },
    { heading: 'What was done', blocks: merged.flatMap((change) => changeLines(change)) },
    ...(others.length === 0
      ? []
      : [{ heading: 'What was tried and not taken', blocks: others.map((one) => lostLine(one)) }]),
    {
      heading: 'What was decided',
      blocks:
        decisions.length === 0
          ? ['No disagreements to resolve.']
          : decisions.flatMap((decision) => decisionLines(decision)),
    },
    { heading: 'How it was tested', blocks: testLines(tests) },
    { heading: 'How it was planned', blocks: planLines(report, facts) },
  ];
}

function changeLines({ taskId, title, agent, epoch, submissions, reviews, conflicts, merge }: ChangeReport): string[] {
  const rounds = reviews.flatMap((review) =>
    review.feedback.map(({ reviewer, verdict, messageId, issues }) => {
      const why = issues.map(({ description }) => description.split('\n', 1)[0] ?? '').join('; ');
      return `  - ${reviewer}: ${verdict} (${idOf(messageId)})${why === '' ? '' : `: ${markdownText(why, { charsMax: ISSUES_CHARS_MAX })}`}`;
    }),
  );
  return [
    `- **${titleText(title)}** (\`${taskId}\`), by ${agent}${epoch > 1 ? `, in its attempt ${epoch}` : ''}, merged as \`${short(merge ?? '')}\``,
    ...submissions.map(
      ({ commit, summary, messageId }) =>
        `  - ${agent} handed in ${codeSpan(short(commit))} (${idOf(messageId)}): ${markdownText(summary.trim().split('\n', 1)[0] ?? '')}`,
    ),
    ...rounds,
    ...(conflicts === 0 ? [] : [`  - conflicted with what was merged before, and was mended (${conflicts} times)`]),
  ];
}

function lostLine({ taskId, title, agent, epoch, outcome, submissions }: ChangeReport): string {
  const handed = submissions.length === 0 ? 'nothing handed in' : `${submissions.length} commits handed in`;
  return `- ${titleText(title)} (\`${taskId}\`) by ${agent}, attempt ${epoch}: ${outcome}, ${handed}`;
}

function decisionLines(decision: Decision): string[] {
  return [
    ...decisionText(decision)
      .split('\n')
      .map((line) => `> ${markdownText(line)}`),
    '',
    ...decision.votes.map(
      ({ voter, option, evidence, messageId }) =>
        `- ${voter} voted ${markdownText(option)} (${idOf(messageId)})${evidence.length === 0 ? '' : `: ${markdownText(evidence.join('; '))}`}`,
    ),
    '',
  ];
}

function testLines(tests: LoopReport['tests']): string[] {
  const last = tests.at(-1);
  return [
    ...tests.map(
      ({ command, exitCode }, at) =>
        `- run ${at + 1}: ${codeSpan(command)} → ${exitCode === null ? 'timed out' : `exit code ${exitCode}`}`,
    ),
    ...(last === undefined ? [] : ['', codeBlock(last.output, { linesMax: OUTPUT_LINES_SHOWN })]),
  ];
}

function planLines({ planSource, findings }: LoopReport, { diffStat }: BranchFacts): string[] {
  return [
    `The plan is from ${markdownText(planSource)}.`,
    ...(findings === null ? [] : [`${findings.by} looked around first (${idOf(findings.messageId)}).`]),
    '',
    codeBlock(diffStat, { linesMax: FILES_SHOWN }),
  ];
}

function titleText(title: string): string {
  return markdownText(title, { charsMax: TITLE_CHARS_MAX });
}

function short(commit: string): string {
  return commit.slice(0, COMMIT_CHARS_SHOWN);
}

function idOf(messageId: string): string {
  return messageId.slice(-ID_CHARS_SHOWN);
}

/** A pull request that is to be opened. */
export interface Publication {
  readonly repository: Repository;
  /** The commit that was delivered. */
  readonly head: string;
  /** The remote that the branch is pushed to. */
  readonly remote: string;
  /** The branch there that it is to be merged into. */
  readonly base: string;
  readonly title: string;
  /** The file with its text. */
  readonly body: string;
}

/** Throws when none was asked for. */
export function publicationOf({ feature, repository, pullRequest }: LoopTerms, head: string): Publication {
  if (!pullRequest) throw new TypeError('no pull request was asked for');
  return { repository, head, ...pullRequest, title: titleOf(feature), body: bodyFile(repository) };
}

/** The text of the pull request without its title. */
export function bodyFile({ workDirectory }: Repository): string {
  return path.join(workDirectory, 'PULL-REQUEST.body.md');
}

/** What git is to do: nothing but this commit as this branch, and nothing of what is there is overwritten. */
export function pushWords({ repository: { branch }, head, remote }: Publication): string[] {
  return ['push', '--no-follow-tags', '--no-recurse-submodules', remote, `${head}:refs/heads/${branch}`];
}

/** What gh is to do. */
export function createWords({ repository: { branch }, base, title, body }: Publication): string[] {
  return ['pr', 'create', '--head', branch, '--base', base, '--title', title, '--body-file', body];
}

/** The same for a person: commands that work when they are pasted. */
export function byHand(publication: Publication): string[] {
  const { directory } = publication.repository;
  const line = (program: string, words: readonly string[]): string =>
    [program, ...words.map((word) => (/^[\w./:@-]+$/.test(word) ? word : shellWord(word)))].join(' ');
  return [
    line('git', ['-C', directory, ...pushWords(publication)]),
    `${line('cd', [directory])} && ${line('gh', createWords(publication))}`,
  ];
}
