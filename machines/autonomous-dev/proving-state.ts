import { assign, emit } from 'xstate';
import { faultText } from '../shared/input.ts';
import { ended, type LoopContext } from './context.ts';
import { loop, testInput } from './loop.ts';
import { isNotStartable, isPassed, type TestRun, type TestRunOutput } from './test-run.ts';

const LINES_SHOWN = 12;

/**
 * Runs the tests on the base, before anybody is asked anything that costs money: where they fail already, no change can be judged by
 * them.
 */
export const proving = loop.createStateConfig({
  initial: 'choosing',
  states: {
    choosing: {
      always: [{ guard: ({ context }) => context.terms.base === 'untested', target: 'proved' }, { target: 'testing' }],
    },
    testing: {
      entry: emit(({ context }) => ({ type: 'phase', phase: 'base-test', detail: context.terms.testCommand })),
      invoke: {
        id: 'base-tests',
        src: 'testBase',
        input: ({ context }) => testInput(context),
        onDone: {
          target: 'judging',
          actions: assign(({ context, event }) => provedBy(context, event.output)),
        },
        onError: {
          target: '#autonomous-dev-loop.ended',
          actions: assign(({ event }) => ended('not-ready', faultText(event.error))),
        },
      },
    },
    judging: {
      always: [
        { guard: ({ context }) => context.ending !== null, target: '#autonomous-dev-loop.ended' },
        {
          target: 'proved',
          actions: emit(({ context }) => ({ type: 'tested', ...baseRunOf(context), round: 0 })),
        },
      ],
    },
    proved: { type: 'final' },
  },
  onDone: 'researching',
});

function baseRunOf({ baseRun }: LoopContext): TestRun {
  if (!baseRun) throw new TypeError('the base was not tested');
  return baseRun;
}

/** The base's run, with what it means for the run: go on, go on with known failures, or end. */
function provedBy({ terms }: LoopContext, output: TestRunOutput): Partial<LoopContext> {
  if ('fault' in output) return ended('not-ready', output.fault);
  const { run } = output;
  if (isPassed(run)) return { baseRun: run };
  const refusal = refusalOf(run, terms);
  if (refusal !== undefined) return { baseRun: run, ...ended('not-ready', refusal) };
  return { baseRun: run, known: terms.base === 'known-failures' ? { names: run.failing ?? null } : null };
}

/** Why nothing can be built on this base, and what to try; undefined if its failures are accepted. */
function refusalOf(
  run: TestRun,
  { base, testReport, repository, testMinutes }: LoopContext['terms'],
): string | undefined {
  const { command, exitCode, output, failing, reportFault } = run;
  const lines = output.split('\n').slice(-LINES_SHOWN).join('\n');
  const because = (how: string, next: string): string =>
    `The tests of the base ${how}, so no change could be judged by them. ${next}\n\n$ ${command}\n${lines}`;
  const setup =
    repository.setup === undefined ? "There is no set-up: --setup '<command>' names one" : 'Look at the set-up too';
  if (exitCode === null)
    return because(
      `are not done after ${testMinutes} minutes`,
      'Give them more time with --test-timeout, or name a faster command with --test.',
    );
  if (isNotStartable(run))
    return because(`cannot be started (exit code ${exitCode})`, `Name the command with --test. ${setup}.`);
  if (base === 'may-fail') return undefined;
  if (base !== 'known-failures')
    return because(
      `fail (exit code ${exitCode})`,
      `Mend them, or name another command with --test. ${setup}. Where they are tests of the feature itself: --base-may-fail. To leave them as they are: --known-failures.`,
    );
  if (!testReport) return undefined;
  if (failing && failing.length > 0) return undefined;
  const why = reportFault ?? 'The report names no failed test.';
  return because(`fail (exit code ${exitCode})`, `${why} Correct the report in mailroom.team.json, or remove it.`);
}
