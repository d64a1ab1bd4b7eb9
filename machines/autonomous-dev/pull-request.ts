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
import type { LoopSettings } from './input.ts';
import type { LoopReport } from './report.ts';
import type { Repository } from './repository.ts';
import type { TestRun } from './test-run.ts';

const ID_CHARS_SHOWN = 8;
const COMMIT_CHARS_SHOWN = 10;
const TITLE_CHARS_MAX = 200;
const ISSUES_CHARS_MAX = 600;
const OUTPUT_LINES_SHOWN = 12;
const FILES_SHOWN = 40;
const NAMES_SHOWN = 30;
/** GitHub's limit is 65,536. */
const BODY_CHARS_MAX = 65_000;

/** The state of the branch. */
export interface BranchFacts {
  readonly head: string;
  readonly commits: readonly string[];
  readonly diffStat: string;
}

/** The full report in Markdown: what was done and decided, by whom, with the ids of the messages as evidence. */
export function pullRequestText(report: LoopReport, facts: BranchFacts): string {
  const title = markdownText(titleOf(report.feature));
  return `# ${title}\n\n${markdownDocument(sectionsOf(report, facts), { charsMax: Infinity })}`;
}

/** The same without the title, cut by section to GitHub's limit. */
export function pullRequestBody(report: LoopReport, facts: BranchFacts): string {
  return markdownDocument(sectionsOf(report, facts), { charsMax: BODY_CHARS_MAX });
}

/** The first line of the feature, cut to the length of a title. */
export function titleOf(feature: string): string {
  return subjectLine(feature);
}

/** Only the feature is shown as its author's Markdown; the author is the one who opens the pull request. */
function sectionsOf(report: LoopReport, facts: BranchFacts): Section[] {
  const { feature, branch, base, changes } = report;
  const { head, commits } = facts;
  const merged = changes.filter(({ outcome }) => outcome === 'merged');
  const others = changes.filter(({ outcome }) => outcome !== 'merged');
  const decisions = changes.flatMap((one) => one.decisions);
  return [
    // Without the heading, which is the title.
    { blocks: quotedMarkdown(feature.replace(/^#+ [^\n]*\n+/, '')) },
    {
      blocks: [
        `Branch ${codeSpan(branch)} at \`${short(head)}\`, ${commits.length} commits ahead of \`${short(base)}\`.`,
      ],
    },
    { heading: 'What was done', blocks: merged.flatMap((change) => changeLines(change)) },
    ...(others.length === 0
      ? []
      : [{ heading: 'What was tried and not merged', blocks: others.map((one) => lostLine(one)) }]),
    {
      heading: 'What was decided',
      blocks:
        decisions.length === 0
          ? ['No disagreements to resolve.']
          : decisions.flatMap((decision) => decisionLines(decision)),
    },
    { heading: 'How it was tested', blocks: testLines(report) },
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
    ...(conflicts === 0 ? [] : [`  - conflicted with earlier merges and was resolved (${conflicts} times)`]),
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

function testLines({ tests, baseRun }: LoopReport): string[] {
  const last = tests.at(-1);
  return [
    ...(baseRun && baseRun.exitCode !== 0 ? baseLines(baseRun) : []),
    ...tests.map((run, at) => `- run ${at + 1}: ${codeSpan(run.command)} → ${resultText(run)}`),
    ...(last === undefined ? [] : ['', codeBlock(last.output, { linesMax: OUTPUT_LINES_SHOWN })]),
  ];
}

/** What failed before anything was changed, which limits what the test runs below can show. */
function baseLines({ command, failing }: TestRun): string[] {
  const names = (failing ?? []).slice(0, NAMES_SHOWN).map((one) => `- ${markdownText(one)}`);
  const more = (failing?.length ?? 0) - names.length;
  if (names.length === 0) {
    const what = `${codeSpan(command)} failed before anything was changed, and names no failed tests.`;
    return [`${what} A failing run below is no evidence for or against these changes.`, ''];
  }
  return [
    'These tests failed before anything was changed, and were not counted:',
    '',
    ...names,
    ...(more > 0 ? [`- and ${more} more`] : []),
    '',
  ];
}

function resultText({ exitCode, verdict, flaky }: TestRun): string {
  const how = exitCode === null ? 'timed out' : `exit code ${exitCode}`;
  if (flaky) return `${how}; flaky, because it had failed on the same commit before`;
  if (verdict === 'no-evidence') return `${how}, which is no evidence`;
  return verdict === 'passed' && exitCode !== 0 ? `${how}, with no failures but those of the base` : how;
}

function planLines({ planSource, findings }: LoopReport, { diffStat }: BranchFacts): string[] {
  return [
    `The plan is from ${markdownText(planSource)}.`,
    ...(findings === null ? [] : [`${findings.by} researched first (${idOf(findings.messageId)}).`]),
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

/** A pull request to open. */
export interface Publication {
  readonly repository: Repository;
  /** The delivered commit. */
  readonly head: string;
  /** The remote that the branch is pushed to. */
  readonly remote: string;
  /** The branch of the remote to merge into. */
  readonly base: string;
  readonly title: string;
  /** The file with its text. */
  readonly body: string;
}

/** Throws if no pull request was requested. */
export function publicationOf({ feature, repository, pullRequest }: LoopSettings, head: string): Publication {
  if (!pullRequest) throw new TypeError('no pull request was requested');
  return { repository, head, ...pullRequest, title: titleOf(feature), body: bodyFile(repository) };
}

/** The text of the pull request without its title. */
export function bodyFile({ workDirectory }: Repository): string {
  return path.join(workDirectory, 'PULL-REQUEST.body.md');
}

/** The arguments for git: push only this commit as this branch, and overwrite nothing. */
export function pushWords({ repository: { branch }, head, remote }: Publication): string[] {
  return ['push', '--no-follow-tags', '--no-recurse-submodules', remote, `${head}:refs/heads/${branch}`];
}

/** The arguments for gh. */
export function createWords({ repository: { branch }, base, title, body }: Publication): string[] {
  return ['pr', 'create', '--head', branch, '--base', base, '--title', title, '--body-file', body];
}

/** Both as commands that a person can paste. */
export function byHand(publication: Publication): string[] {
  const { directory } = publication.repository;
  const line = (program: string, words: readonly string[]): string =>
    [program, ...words.map((word) => (/^[\w./:@-]+$/.test(word) ? word : shellWord(word)))].join(' ');
  return [
    line('git', ['-C', directory, ...pushWords(publication)]),
    `${line('cd', [directory])} && ${line('gh', createWords(publication))}`,
  ];
}
