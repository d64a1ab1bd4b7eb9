import { cut } from 'agent-mailroom/workflow';
import { shellWord } from '../shared/shell-word.ts';
import { availableOn, type Board, type Entry, type Lapse, type Workspace } from './board.ts';
import { LAPSES_MAX } from './rules.ts';

const OFFERS_MAX = 20;
const FILES_SHOWN_MAX = 5;

/** What a distribution says of itself in its texts. */
export interface Terms {
  /** Where claims are sent to. */
  readonly address: string;
  readonly leaseMinutes: number;
}

/** Everything that can be claimed, each with a command that claims it when it is pasted into a shell. */
export function offersText(board: Board, { address, leaseMinutes }: Terms): string {
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
    'Claim one with its command (with your --as, if you use it). You are told what to do.',
    `It is yours for ${minutesText(leaseMinutes)} from your last message about it.`,
  ].join('\n');
}

/** The same as the end of an answer. */
export function remainingText(board: Board, terms: Terms): string {
  return availableOn(board).length === 0
    ? 'Nothing is available now. You will hear of it when something is.'
    : offersText(board, terms);
}

/** For programs: what is available. */
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
function asidesText({ task: { files, skills }, lapses }: Entry): string {
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

/** What the holder of a task is told: what to do, where, and the commands that end it. */
export function startText(entry: Entry, { address, leaseMinutes }: Terms): string {
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
    `The task is ${task.id}, epoch ${epoch}. It is yours for ${minutesText(leaseMinutes)} from your last message about it.`,
  ].join('\n');
}

/** What the holder is told when the result is not yet right. */
export function reworkText(entry: Entry, feedback: string, { address, leaseMinutes }: Terms): string {
  const workspace = entry.status.at === 'claimed' ? entry.status.workspace : null;
  return [
    `Please go on with: ${entry.task.title}`,
    '',
    feedback,
    '',
    ...(workspace ? [workspaceText(workspace), ''] : []),
    ...commandsText(entry, workspace, address),
    '',
    `It is still yours (${entry.task.id}, epoch ${entry.epoch}), for ${minutesText(leaseMinutes)} from your last message about it.`,
  ].join('\n');
}

/** What a program is told with both. */
export function workData({ task, epoch, status }: Entry): Readonly<Record<string, unknown>> {
  const { id, title, description, files } = task;
  const workspace = status.at === 'claimed' ? status.workspace : null;
  return { taskId: id, epoch, title, description, files, ...(workspace ? { workspace } : {}) };
}

function commandsText({ task: { id }, epoch }: Entry, workspace: Workspace | null, address: string): string[] {
  const send = (type: string, content: string, data: string): string =>
    `  mailroom send ${address} ${type} ${shellWord(content)} --data ${data}`;
  const named = shellWord(JSON.stringify({ taskId: id, epoch }));
  return [
    'When it is done (say in a few words what you did):',
    send('COMPLETED', `done:${id}`, workspace ? committedData({ id, epoch, workspace }) : named),
    'When you cannot do it, give it back with the reason:',
    send('BLOCKED', `blocked:${id} I cannot go on`, named),
    'While you work, so that it stays yours:',
    send('INFO', `${id}: still at it`, named),
  ];
}

/** Words of a shell that make JSON with the commit that the workspace is at. */
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
  const what = { silent: 'nothing more was heard', 'given-back': 'given back', 'taken-away': 'taken away' }[end];
  return `Tried before by ${holder.agent}: ${what}${end === 'silent' ? '' : ` (${reason})`}.`;
}

/** What an agent is told whose result has come. */
export function thanksText({ task: { title } }: Entry, kind: 'done' | 'submitted' | 'known'): string {
  return {
    done: `Done: ${title}. Thank you.`,
    submitted: `Handed in: ${title}. It is being looked at; you will hear what comes of it.`,
    known: `Your result is noted already: ${title}`,
  }[kind];
}

/** What an agent is told who has lost a task without having given it back. */
export function lostText(
  { task: { title, id }, lapses }: Entry,
  { end, reason }: Lapse,
  { leaseMinutes }: Terms,
): string {
  const why = end === 'silent' ? `nothing was heard of you for ${minutesText(leaseMinutes)}` : reason;
  const next = givenUpText(lapses) ?? 'Others may claim it now. If you still want it, claim it again.';
  return `${title} (${id}) is no longer yours: ${why}. ${next}`;
}

function givenUpText({ length }: readonly Lapse[]): string | undefined {
  return length < LAPSES_MAX ? undefined : `It was claimed and lost ${length} times, so nobody can claim it any more.`;
}

/** What everybody is told of a task that nobody is offered any more. */
export function blockedText({ task: { title, id }, lapses }: Entry, address: string): string {
  const givenUp = givenUpText(lapses);
  return [
    `Blocked: ${title}`,
    '',
    ...lapses.map(({ holder, reason }) => `  ${holder.agent}, epoch ${holder.epoch}: ${reason}`),
    '',
    ...(givenUp === undefined
      ? [
          'It is not offered any more. Whoever can do it all the same may claim it:',
          `  mailroom send ${address} CLAIM ${shellWord(id)}`,
        ]
      : [givenUp]),
  ].join('\n');
}
