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

/** Why it is not delivered. */
export function endWithoutDelivery(context: Context): { ending: Ending } {
  const { fixRounds } = context.terms;
  const isFailing = lastTests(context).exitCode !== 0;
  const failing = `the tests still fail after ${fixRounds} ${fixRounds === 1 ? 'round' : 'rounds'} of mending`;
  const missing = neverDone(context);
  if (missing.length === 0) return ended('tests-failed', failing);
  return ended('blocked', `nobody can do ${missing.join(', ')}${isFailing ? `, and ${failing}` : ''}`);
}

/** One that the plan does not have. */
function fixId(context: Context, round: number): string {
  const planned = planOf(context).tasks.map(({ id }) => id);
  let id = `fix-${round}`;
  while (planned.includes(id)) id = `fix-${id}`;
  return id;
}
