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
const OUTSIDE_SHOWN = 10;
const REASONS_SHOWN = 3;
const SUGGESTIONS_SHOWN = 10;
const SUMMARY_CHARS_MAX = 500;
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
  const { head, commits, diffStat } = facts;
  const merged = changes.filter(({ outcome }) => outcome === 'merged');
  const decisions = changes.flatMap((one) => one.decisions);
  return [
    // Without the heading, which is the title.
    { blocks: quotedMarkdown(feature.replace(/^#+ [^\n]*\n+/, '')) },
    {
      blocks: [
        `Branch ${codeSpan(branch)} at \`${short(head)}\`, ${commits.length} commits ahead of \`${short(base)}\`.`,
      ],
    },
    { heading: 'What changed', blocks: merged.flatMap((change) => changeLines(change)) },
    ...(decisions.length === 0
      ? []
      : [{ heading: 'What was decided', blocks: decisions.map((decision) => decisionLine(decision)) }]),
    { heading: 'How it was tested', blocks: testLines(report) },
    { heading: 'What is missing', blocks: missingLines(report) },
    { heading: 'Which files', blocks: [codeBlock(diffStat, { linesMax: FILES_SHOWN })] },
    { heading: 'Who did what, with commits and messages', isFolded: true, blocks: recordLines(report) },
  ];
}

const SENTENCES_SHOWN = 2;

/** What a task came to, in the words of who did it. */
function changeLines({ title, agent, submissions }: ChangeReport): string[] {
  // What came later answers a review or a conflict.
  const said = firstSentences(submissions[0]?.summary ?? '');
  const { outside = [] } = submissions.at(-1) ?? {};
  const others = outside.slice(0, OUTSIDE_SHOWN).map((one) => codeSpan(one));
  const more = outside.length - others.length;
  return [
    `- **${titleText(title)}**, by ${agent}${said === '' ? '' : `: ${markdownText(said, { charsMax: SUMMARY_CHARS_MAX })}`}`,
    ...(others.length === 0
      ? []
      : [
          `  - also changed, although the plan does not name them for this: ${others.join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
        ]),
  ];
}

function firstSentences(text: string): string {
  const sentences =
    text
      .trim()
      .replaceAll(/\s+/g, ' ')
      .match(/.+?(?:[.!?…](?=\s|$)|$)/gu) ?? [];
  return sentences.slice(0, SENTENCES_SHOWN).join('').trim();
}

/** The decision with the reason of those who voted for it. */
function decisionLine({ question, option, mustChange, votes }: Decision): string {
  const reasons = votes.filter((one) => one.option === option).flatMap(({ evidence }) => evidence);
  const because = [...new Set(reasons)].slice(0, REASONS_SHOWN).join('; ');
  const who = votes.map(({ voter, option: chosen }) => `${voter}: ${markdownText(chosen)}`).join(', ');
  const what =
    option === null ? 'no vote decided it, so the objection stood' : mustChange ? 'changed' : 'kept as it is';
  return `- ${markdownText(question, { charsMax: ISSUES_CHARS_MAX })} — ${what}${because === '' ? '' : `, because ${markdownText(because, { charsMax: ISSUES_CHARS_MAX })}`} (${who === '' ? 'nobody voted' : who})`;
}

/** What a reviewer of the pull request should know and would not see in it. */
function missingLines({ changes, tests, baseRun }: LoopReport): string[] {
  const merged = new Set(changes.filter(({ outcome }) => outcome === 'merged').map(({ taskId }) => taskId));
  const lost = new Map(changes.filter(({ taskId }) => !merged.has(taskId)).map((one) => [one.taskId, one]));
  const suggestions = changes
    .filter(({ outcome }) => outcome === 'merged')
    .flatMap(({ reviews }) => reviews.at(-1)?.feedback ?? [])
    .flatMap(({ reviewer, suggestions: all }) =>
      all.map((text) => `- suggested by ${reviewer}, and not done: ${markdownText(text)}`),
    );
  const last = tests.at(-1);
  const lines = [
    ...[...lost.values()].map(({ title }) => `- not done: ${titleText(title)}`),
    ...(tests.some(({ flaky }) => flaky) ? ['- a test is flaky: it failed and then passed on the same commit'] : []),
    ...(last?.verdict === 'no-evidence' ? ['- no test run shows that it works, because the tests failed before'] : []),
    ...(baseRun === null ? ['- the tests were not run on the commit that it starts from'] : []),
    ...suggestions.slice(0, SUGGESTIONS_SHOWN),
  ];
  return lines.length === 0 ? ['Nothing that is known.'] : lines;
}

/** The evidence: every submission, verdict and vote with its message. */
function recordLines(report: LoopReport): string[] {
  const { changes, planSource, findings } = report;
  const merged = changes.filter(({ outcome }) => outcome === 'merged');
  const others = changes.filter(({ outcome }) => outcome !== 'merged');
  return [
    `The plan is from ${markdownText(planSource)}.`,
    ...(findings === null ? [] : [`${findings.by} researched first (${idOf(findings.messageId)}).`]),
    '',
    ...merged.flatMap((change) => recordOf(change)),
    ...others.map((one) => lostLine(one)),
    ...changes.flatMap(({ decisions }) => decisions).flatMap((decision) => votesOf(decision)),
  ];
}

function recordOf({ taskId, title, agent, epoch, submissions, reviews, conflicts, merge }: ChangeReport): string[] {
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

function votesOf(decision: Decision): string[] {
  return [
    '',
    ...decisionText(decision)
      .split('\n')
      .map((line) => `> ${markdownText(line)}`),
    '',
    ...decision.votes.map(
      ({ voter, option, evidence, messageId }) =>
        `- ${voter} voted ${markdownText(option)} (${idOf(messageId)})${evidence.length === 0 ? '' : `: ${markdownText(evidence.join('; '))}`}`,
    ),
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
