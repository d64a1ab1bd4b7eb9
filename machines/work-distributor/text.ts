import { cut } from 'agent-mailroom/workflow';
import { shellWord } from '../shared/shell-word.ts';
import { availableOn, type Board, type TaskEntry, type Lapse, type Workspace } from './board.ts';
import { LAPSES_MAX } from './rules.ts';

const OFFERS_MAX = 20;
const FILES_SHOWN_MAX = 5;

/** The facts of a distribution that its texts name. */
export interface OfferTerms {
  /** Where claims are sent. */
  readonly address: string;
  readonly leaseMinutes: number;
}

/** All tasks that can be claimed, each with a command to paste into a shell. */
export function offersText(board: Board, { address, leaseMinutes }: OfferTerms): string {
  const offers = availableOn(board);
  const shown = offers.slice(0, OFFERS_MAX);
  const more =
    offers.length > shown.length
      ? ['', `There are ${offers.length - shown.length} more: mailroom send ${address} QUESTION ${shellWord('tasks')}`]
      : [];
  return [
    'Available tasks:',
    '',
    ...shown.flatMap((entry) => [
      `  ${entry.task.title}${asidesText(entry)}`,
      `    mailroom send ${address} CLAIM ${shellWord(entry.task.id)}`,
    ]),
    ...more,
    '',
    'Claim one with its command (with your --as, if you use it). You will then be told what to do.',
    `A claim lasts ${minutesText(leaseMinutes)} from your last message about the task.`,
  ].join('\n');
}

/** The available tasks, as the end of a reply. */
export function remainingText(board: Board, terms: OfferTerms): string {
  return availableOn(board).length === 0
    ? 'No task is available now. You will be told when one is.'
    : offersText(board, terms);
}

/** The available tasks, for programs. */
export function offersData(
  board: Board,
): { id: string; title: string; files: string[]; skills: string[]; epoch: number }[] {
  return availableOn(board).map(({ task: { id, title, files, skills }, epoch }) => ({
    id,
    title,
    files,
    skills,
    epoch,
  }));
}

export function minutesText(minutes: number): string {
  return minutes < 1 ? `${Math.round(minutes * 60_000) / 1_000} s` : `${minutes} min`;
}

/** ` (files: src/csv.js; skills: parsing; given back by bob: no spec)` */
function asidesText({ task: { files, skills }, lapses }: TaskEntry): string {
  const [shown, hidden] = [files.slice(0, FILES_SHOWN_MAX), files.length - FILES_SHOWN_MAX];
  const asides = [
    ...(shown.length > 0 ? [`files: ${shown.join(', ')}${hidden > 0 ? ` and ${hidden} more` : ''}`] : []),
    ...(skills.length > 0 ? [`skills: ${skills.join(', ')}`] : []),
    ...lapses
      .filter(({ end }) => end !== 'silent')
      .map(({ holder, end, reason }) =>
        end === 'given-back'
          ? `given back by ${holder.agent}: ${firstLine(reason)}`
          : `taken from ${holder.agent}: ${firstLine(reason)}`,
      ),
  ];
  return asides.length === 0 ? '' : ` (${asides.join('; ')})`;
}

const REASON_CHARS_MAX = 160;

export function firstLine(text: string): string {
  const [line = ''] = text.trim().split('\n');
  return cut(line, { charsMax: REASON_CHARS_MAX });
}

/** Sent to the holder of a task: what to do, where, and the commands to finish. */
export function startText(entry: TaskEntry, { address, leaseMinutes }: OfferTerms): string {
  const { task, epoch, lapses, status } = entry;
  const workspace = status.at === 'claimed' ? status.workspace : null;
  const facts = [
    ...(task.files.length > 0 ? [`Files: ${task.files.join(', ')}`] : []),
    ...(workspace ? [workspaceText(workspace)] : []),
    ...lapses.map((lapse) => lapseText(lapse)),
  ];
  return [
    `Start: ${task.title}`,
    '',
    task.description,
    '',
    ...(facts.length > 0 ? [...facts, ''] : []),
    ...commandsText(entry, workspace, address),
    '',
    `The task is ${task.id}, epoch ${epoch}. Your claim lasts ${minutesText(leaseMinutes)} from your last message about it.`,
  ].join('\n');
}

/** Sent to the holder when the result needs rework. */
export function reworkText(entry: TaskEntry, feedback: string, { address, leaseMinutes }: OfferTerms): string {
  const workspace = entry.status.at === 'claimed' ? entry.status.workspace : null;
  return [
    `Please continue with: ${entry.task.title}`,
    '',
    feedback,
    '',
    ...(workspace ? [workspaceText(workspace), ''] : []),
    ...commandsText(entry, workspace, address),
    '',
    `The task is still yours (${entry.task.id}, epoch ${entry.epoch}); your claim lasts ${minutesText(leaseMinutes)} from your last message about it.`,
  ].join('\n');
}

/** The data of both messages, for programs. */
export function workData({ task, epoch, status }: TaskEntry): Readonly<Record<string, unknown>> {
  const { id, title, description, files } = task;
  const workspace = status.at === 'claimed' ? status.workspace : null;
  return { taskId: id, epoch, title, description, files, ...(workspace ? { workspace } : {}) };
}

function commandsText({ task: { id }, epoch }: TaskEntry, workspace: Workspace | null, address: string): string[] {
  const send = (type: string, content: string, data: string): string =>
    `  mailroom send ${address} ${type} ${shellWord(content)} --data ${data}`;
  const named = shellWord(JSON.stringify({ taskId: id, epoch }));
  return [
    'When it is done (add a short summary of what you did):',
    send('COMPLETED', `done:${id}`, workspace ? committedData({ id, epoch, workspace }) : named),
    'If you cannot do it, give it back with the reason:',
    send('BLOCKED', `blocked:${id} I cannot go on`, named),
    'While you work, to keep your claim:',
    send('INFO', `${id}: still at it`, named),
  ];
}

/** Shell words that yield JSON with the current commit of the workspace. */
function committedData({ id, epoch, workspace }: { id: string; epoch: number; workspace: Workspace }): string {
  const [start = '', end = ''] = JSON.stringify({ taskId: id, epoch, branch: workspace.branch, commit: '#' }).split(
    '#',
  );
  return `${shellWord(start)}"$(git -C ${shellWord(workspace.directory)} rev-parse HEAD)"${shellWord(end)}`;
}

function workspaceText({ directory, branch, base }: Workspace): string {
  return `Work in ${directory} and commit there, on the branch ${branch} (from ${base}).`;
}

function lapseText({ holder, end, reason }: Lapse): string {
  const what = { silent: 'fell silent', 'given-back': 'given back', 'taken-away': 'taken away' }[end];
  return `Tried before by ${holder.agent}: ${what}${end === 'silent' ? '' : ` (${reason})`}.`;
}

/** The reply to a result. */
export function thanksText({ task: { title } }: TaskEntry, kind: 'done' | 'submitted' | 'known'): string {
  return {
    done: `Done: ${title}. Thank you.`,
    submitted: `Handed in: ${title}. Your result is under review; you will be told the outcome.`,
    known: `Your result is already recorded: ${title}`,
  }[kind];
}

/** Sent to an agent that lost a task without giving it back. */
export function lostText(
  { task: { title, id }, lapses }: TaskEntry,
  { end, reason }: Lapse,
  { leaseMinutes }: OfferTerms,
): string {
  const why = end === 'silent' ? `you sent nothing about it for ${minutesText(leaseMinutes)}` : reason;
  const next = givenUpText(lapses) ?? 'Others may claim it now. If you still want it, claim it again.';
  return `${title} (${id}) is no longer yours: ${why}. ${next}`;
}

function givenUpText({ length }: readonly Lapse[]): string | undefined {
  return length < LAPSES_MAX ? undefined : `It was claimed and lost ${length} times, so nobody can claim it any more.`;
}

/** Sent to all agents when a task is no longer offered. */
export function blockedText({ task: { title, id }, lapses }: TaskEntry, address: string): string {
  const givenUp = givenUpText(lapses);
  return [
    `Blocked: ${title}`,
    '',
    ...lapses.map(({ holder, reason }) => `  ${holder.agent}, epoch ${holder.epoch}: ${reason}`),
    '',
    ...(givenUp === undefined
      ? [
          'It is no longer offered. If you can do it anyway, claim it:',
          `  mailroom send ${address} CLAIM ${shellWord(id)}`,
        ]
      : [givenUp]),
  ].join('\n');
}
