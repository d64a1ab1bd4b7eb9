import path from 'node:path';
import type { LoopReport } from '../autonomous-dev/report.ts';
import { shellWord } from '../shared/shell-word.ts';
import { MAILROOM_COMMAND } from '../shared/mailroom-command.ts';
import type { Run } from './run-directory.ts';

/** The result of a run, and how to look closer. */
export function summaryText(report: LoopReport, run: Run): string {
  const { delivery, changes, branch, outcome } = report;
  const merged = changes.filter((one) => one.outcome === 'merged').length;
  const rejected = changes
    .flatMap(({ reviews }) => reviews.flatMap(({ feedback }) => feedback))
    .filter(({ verdict }) => verdict === 'request-changes').length;
  return [
    '',
    outcome === 'delivered' && delivery
      ? `The branch ${branch} is ready at ${delivery.head.slice(0, 10)}: ${delivery.commits} commits, ${merged} tasks, ${rejected} changes sent back in review.`
      : `Not delivered (${outcome}): ${report.reason.replaceAll('\n', '\n  ')}. The work so far is on the branch ${branch}.`,
    ...(delivery ? [`The text of the pull request: ${delivery.pullRequest}`] : []),
    ...pullRequestLines(report),
    '',
    lookCloserText(run),
  ].join('\n');
}

function pullRequestLines({ pullRequest }: LoopReport): string[] {
  if (pullRequest === null) return [];
  if (pullRequest.status === 'opened') return [`The pull request: ${pullRequest.url}`];
  const { fault, byHand } = pullRequest;
  const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
  return [
    'The pull request could not be opened:',
    ...indented(fault.split('\n')),
    'The branch and the text exist. To open it by hand:',
    ...indented(byHand),
  ];
}

/** Commands to paste. */
export function lookCloserText({ directory, input: { repository } }: Run): string {
  const mailroom = `MAILROOM_DIR=${shellWord(path.join(directory, '.mailroom'))} ${MAILROOM_COMMAND}`;
  return [
    'Look closer:',
    `  git -C ${shellWord(repository.directory)} log --graph --oneline ${repository.branch}`,
    `  ${mailroom} why autonomous-dev-loop`,
    `  ${mailroom} replay autonomous-dev-loop`,
    `  ${mailroom} log`,
  ].join('\n');
}
