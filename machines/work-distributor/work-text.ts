import { shellWord } from '../shared/shell-word.ts';
import type { Entry, Lapse, Workspace } from './board.ts';
import { LAPSES_MAX } from './lapse.ts';
import { minutesText, type Terms } from './offer-text.ts';

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
