import { plainOutput, visible, visibleLines } from 'agent-mailroom/workflow';
import type { LoopProgress } from '../autonomous-dev/progress.ts';

const ID_CHARS_SHOWN = 8;
const COMMIT_CHARS_SHOWN = 9;
const LINES_OF_OUTPUT = 8;
const TASK_COLUMNS = 18;

/** A progress event as one or a few lines, for a person who watches. */
export function progressText(one: LoopProgress, since: string): string {
  return textOf(one).replace(/^ {2}(?=\S)/, `${since}  `);
}

function textOf(one: LoopProgress): string {
  switch (one.type) {
    case 'phase':
      return `\n== ${one.phase}${one.detail === '' ? '' : `: ${oneLine(one.detail)}`}`;
    case 'researched':
      return one.by === null
        ? '  nobody answered; continuing without research'
        : `  research by ${one.by} (${idOf(one.messageId)}):\n${indented(one.findings)}`;
    case 'planned':
      return [
        `  the plan is from ${oneLine(one.source)}:`,
        ...one.tasks.map(({ id, title, dependsOn }) => {
          const after = dependsOn.length === 0 ? '' : `  (after ${dependsOn.join(', ')})`;
          return `    ${id.padEnd(TASK_COLUMNS)} ${oneLine(title)}${after}`;
        }),
        ...(one.ignored ?? []).map((text) => `    WARNING: ${oneLine(text)}`),
      ].join('\n');
    case 'claimed':
      return `  ${label(one)} claimed by ${one.agent}${one.epoch > 1 ? `, attempt ${one.epoch}` : ''}`;
    case 'handed-in':
      return `  ${label(one)} ${one.agent} handed in ${short(one.commit)}: ${firstLine(one.summary)} (${idOf(one.messageId)})`;
    case 'changes-requested':
      return [
        `  ${label(one)} REJECTED ${short(one.commit)} of ${one.agent} in round ${one.round}:`,
        ...one.issues.map(({ reviewer, description, evidence }) =>
          indented([`${reviewer}: ${description}`, ...evidence.map((item) => `  ${item}`)].join('\n')),
        ),
      ].join('\n');
    case 'reviewed':
      return reviewText(one);
    case 'disputed':
      return one.disagreements.map((each) => disagreementText(one, each)).join('\n');
    case 'decided':
      return decisionText(one);
    case 'waiting':
      return `  ${label(one)} WAITING: ${firstLine(one.reason)}`;
    case 'released':
      return `  ${label(one)} ${one.end === 'given-back' ? 'RETURNED' : 'LOST'} by ${one.agent}: ${firstLine(one.reason)}`;
    case 'merged':
      return `  ${label(one)} merged as ${short(one.commit)}, work of ${one.agent}:${firstLine(lastLine(one.diffStat)) === '' ? '' : ` ${oneLine(lastLine(one.diffStat))}`}`;
    case 'conflict':
      return `  ${label(one)} CONFLICT in ${oneLine(one.files.join(', '))}; back to ${one.agent}`;
    case 'tested':
      return testedText(one);
    case 'pull-request-opened':
      return `  the pull request is open: ${oneLine(one.url)}`;
    case 'pull-request-failed':
      return `  the pull request could not be opened:\n${indented(one.fault)}`;
    default:
      return `\n== ${one.outcome}: ${indented(one.reason).trim()}`;
  }
}

type Of<TType extends LoopProgress['type']> = Extract<LoopProgress, { readonly type: TType }>;

function reviewText(one: Of<'reviewed'>): string {
  const { outcome, feedback } = one.review;
  const last = feedback.filter(({ round }) => round === Math.max(...feedback.map((each) => each.round)));
  const who = last.map(
    ({ reviewer, verdict, evidence, messageId }) =>
      `${reviewer}: ${verdict}${evidence.length === 0 ? '' : `, ${oneLine(evidence.join('; '))}`} (${idOf(messageId)})`,
  );
  return `  ${label(one)} review: ${outcome}${who.length === 0 ? '' : `; ${who.join('; ')}`}`;
}

function testedText({ command, exitCode, output, verdict, failing, flaky }: Of<'tested'>): string {
  const how = exitCode === null ? 'timed out' : `exit code ${exitCode}`;
  const about = flaky
    ? '; flaky: it failed on the same commit before'
    : verdict === 'no-evidence'
      ? '; no evidence, because the base fails as well'
      : verdict === 'passed' && exitCode !== 0
        ? `; ${failing?.length ?? 0} known failures of the base`
        : '';
  return `  ${oneLine(command)}: ${how}${about}\n${indented(output.split('\n').slice(-LINES_OF_OUTPUT).join('\n'))}`;
}

function disagreementText(one: Of<'disputed'>, { topic, positions }: Of<'disputed'>['disagreements'][number]): string {
  return [
    `  ${label(one)} DISAGREEMENT on ${firstLine(topic)}`,
    ...positions.map(({ who, position, messageId }) => `      ${who}: ${firstLine(position)} (${idOf(messageId)})`),
    '      put to the vote',
  ].join('\n');
}

function decisionText({ decision }: Of<'decided'>): string {
  return [
    `  ${decision.taskId.padEnd(TASK_COLUMNS)} VOTE: ${oneLine(decision.option ?? decision.outcome)}${decision.tieBreak === null ? '' : `, by ${decision.tieBreak}`}; ${firstLine(decision.question)}`,
    ...decision.votes.map(
      ({ voter, option, evidence, messageId }) =>
        `      ${voter}: ${oneLine(option)}${evidence.length === 0 ? '' : `, because ${evidence.map((item) => firstLine(item)).join('; ')}`} (${idOf(messageId)})`,
    ),
    ...(decision.missing.length === 0 ? [] : [`      no vote from ${decision.missing.join(', ')}`]),
  ].join('\n');
}

function label({ taskId }: { readonly taskId: string }): string {
  return taskId.padEnd(TASK_COLUMNS);
}

function firstLine(text: string): string {
  return oneLine(text.trim().split('\n', 1)[0] ?? '');
}

/** Text that cannot start a line of its own. */
function oneLine(text: string): string {
  return visible(plainOutput(text).trim());
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

function indented(text: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => `      ${line}`)
    .join('\n');
}

function short(commit: string): string {
  return commit.slice(0, COMMIT_CHARS_SHOWN);
}

function idOf(messageId: string | null): string {
  return (messageId ?? '').slice(-ID_CHARS_SHOWN);
}

/** Prints to stdout. The only door to the terminal: foreign text in it is made inert. */
export function tell(text: string): void {
  console.log(shown(text));
}

/** The same on stderr. */
export function complain(text: string): void {
  console.error(shown(text));
}

function shown(text: string): string {
  return visibleLines(plainOutput(text));
}
