import { cut } from 'agent-mailroom/workflow';
import { LAPSES_MAX } from '../work-distributor/lapse.ts';
import type { TaskInput } from '../work-distributor/plan.ts';
import { ended, lastTests, planOf, type Context } from './context.ts';
import type { Ending } from './report.ts';

const OUTPUT_LINES_TOLD = 60;

/** What a failing run becomes: a task with the end of what it printed. */
export function fixTask(context: Context): TaskInput {
  const round = context.tests.length;
  const { command, exitCode, output } = lastTests(context);
  return {
    id: fixId(context, round),
    title: `Mend what the tests found (round ${round} of ${context.terms.fixRounds})`,
    description: [
      `After everything was merged, \`${command}\` ended with ${exitCode ?? 'a time-out'}. Mend it.`,
      '',
      output.split('\n').slice(-OUTPUT_LINES_TOLD).join('\n'),
    ].join('\n'),
  };
}

/** Tasks of the plan that nobody is offered any more; what was only to be mended does not matter once the tests pass. */
export function neverDone(context: Context): readonly string[] {
  const planned = new Set(planOf(context).tasks.map(({ id }) => id));
  return context.blocked.filter((id) => planned.has(id));
}

/** A task of the plan was lost so often that nobody can claim it any more: nothing can be delivered, so nothing is mended. */
export function isHopeless(context: Context): boolean {
  return neverDone(context).some((id) => releasesOf(context, id).length >= LAPSES_MAX);
}

/** Why it is not delivered. */
export function endWithoutDelivery(context: Context): { ending: Ending } {
  const { fixRounds } = context.terms;
  const isFailing = lastTests(context).exitCode !== 0;
  const failing = isHopeless(context)
    ? 'the tests fail'
    : `the tests still fail after ${fixRounds} ${fixRounds === 1 ? 'round' : 'rounds'} of mending`;
  const missing = neverDone(context);
  if (missing.length === 0) return ended('tests-failed', failing);
  const why = missing.map((id) => `${id}${lostText(releasesOf(context, id))}`).join('; ');
  return ended('blocked', `nobody can do ${why}${isFailing ? `, and ${failing}` : ''}`);
}

const REASON_CHARS_MAX = 200;

/** ` (lost 2 times: ben returned it: no spec; cleo fell silent)` */
function lostText(releases: Context['releases']): string {
  const how = { silent: 'fell silent', 'given-back': 'returned it', 'taken-away': 'had it taken away' };
  const each = releases.map(({ agent, end, reason }) => {
    const [line = ''] = reason.split('\n', 1);
    return `${agent} ${how[end]}${end === 'silent' ? '' : `: ${cut(line, { charsMax: REASON_CHARS_MAX })}`}`;
  });
  if (each.length === 0) return '';
  return ` (lost ${each.length === 1 ? 'once' : `${each.length} times`}: ${each.join('; ')})`;
}

function releasesOf({ releases }: Context, taskId: string): Context['releases'] {
  return releases.filter((one) => one.taskId === taskId);
}

/** What a run that is out of time was waiting for. */
export function openText(context: Context): string {
  const { hands } = context;
  const each = openTasks(context).map((id) => (hands[id] ? `${id} (with ${hands[id].agent})` : id));
  return each.length === 0 ? '' : `, and these tasks are not done: ${each.join(', ')}`;
}

/** What a run was waiting for in which nobody is at work. */
export function unclaimedText(context: Context): string {
  const open = openTasks(context).filter((id) => !context.blocked.includes(id));
  return `nobody claimed ${open.join(', ')} within ${context.terms.answerMinutes} minutes`;
}

function openTasks({ plan, mending, changes }: Context): readonly string[] {
  const merged = changes.filter(({ outcome }) => outcome === 'merged').map(({ taskId }) => taskId);
  const all = [...(plan?.tasks ?? []).map(({ id }) => id), ...(mending === null ? [] : [mending])];
  return all.filter((id) => !merged.includes(id));
}

/** One that the plan does not have. */
function fixId(context: Context, round: number): string {
  const planned = planOf(context).tasks.map(({ id }) => id);
  let id = `fix-${round}`;
  while (planned.includes(id)) id = `fix-${id}`;
  return id;
}
