import { assign, setup } from 'xstate';
import { activity, command, cut, plainOutput, type CommandResult } from 'agent-mailroom/workflow';
import { faultText } from '../shared/input.ts';
import { git } from './git.ts';
import { portEnvironment } from './ports.ts';
import { failingTests, removeReport, STANDARD_OUTPUT, type TestReport } from './test-report.ts';

const OUTPUT_CHARS_KEPT = 6_000;
/** A shell's exit codes for a command that it may not execute, and one that it does not find. */
const NOT_STARTABLE = [126, 127];

/** A run of the repository's own tests on one commit. */
export interface TestRun {
  readonly command: string;
  /** Null after a timeout. */
  readonly exitCode: number | null;
  /** The tail of its output. */
  readonly output: string;
  /**
   * `passed`: with exit code 0, or nothing failed but what failed on the base. `no-evidence`: it failed, as on the base, and
   * without a report nobody knows what failed. Journals of older versions do not have it.
   */
  readonly verdict?: 'passed' | 'failed' | 'no-evidence';
  /** The failed tests; null without a report, or with exit code 0. */
  readonly failing?: readonly string[] | null;
  /** Why there is no `failing` although there should be. */
  readonly reportFault?: string | null;
  /** The first run on the same commit, which failed; this one passed. Null if one run was enough. */
  readonly flaky?: { readonly exitCode: number | null; readonly output: string } | null;
}

/** What failed on the base: null if it passed; `names` is null without a report. */
export type KnownFailures = { readonly names: readonly string[] | null } | null;

export interface TestRunInput {
  /** A shell command. */
  readonly line: string;
  /** The checkout, which is reset to its commit before each run. */
  readonly directory: string;
  /** The first port of the checkout; null if it has none. */
  readonly ports: number | null;
  readonly timeoutMs: number;
  readonly report: TestReport | null;
  readonly known: KnownFailures;
}

/** The output: a run, or why the command could not be run at all. */
export type TestRunOutput = { readonly run: TestRun } | { readonly fault: string };

export function isPassed({ exitCode, verdict }: TestRun): boolean {
  return verdict === undefined ? exitCode === 0 : verdict !== 'failed';
}

/** Whether the shell could not start the command, so that the run says nothing about the tests. */
export function isNotStartable({ exitCode }: TestRun): boolean {
  return exitCode !== null && NOT_STARTABLE.includes(exitCode);
}

export interface TestRunContext {
  readonly input: TestRunInput;
  /** The first run, if it is being repeated. */
  readonly before: TestRun | null;
  readonly run: TestRun | null;
  readonly fault: string | null;
}

/** What of a command's result is needed to judge it. */
export interface Ran {
  readonly exitCode: number | null;
  /** The tail, for people. */
  readonly output: string;
  /** All that is known of it, if it has the report. */
  readonly stdout: string;
}

function ranIn({ report }: TestRunInput, { exitCode, timedOut, stdout, stderr }: CommandResult): Ran {
  return {
    exitCode: timedOut ? null : (exitCode ?? null),
    output: cut(plainOutput(`${stdout}\n${stderr}`.trim()), { charsMax: OUTPUT_CHARS_KEPT, keep: 'end' }),
    stdout: report?.path === STANDARD_OUTPUT ? stdout : '',
  };
}

/** The output in the event of a child that is done, which XState's types do not know. */
function outputOf(event: { readonly type: string }): unknown {
  return (event as { readonly output?: unknown }).output;
}

const runIn = (event: { readonly type: string }): TestRun => outputOf(event) as TestRun;

function verdictOf(
  { exitCode, failing }: { exitCode: number | null; failing: readonly string[] | null },
  known: KnownFailures,
): NonNullable<TestRun['verdict']> {
  if (exitCode === 0) return 'passed';
  if (known === null || exitCode === null || NOT_STARTABLE.includes(exitCode)) return 'failed';
  if (known.names === null) return 'no-evidence';
  const isKnown = failing !== null && failing.length > 0 && failing.every((one) => known.names?.includes(one));
  return isKnown ? 'passed' : 'failed';
}

function judged({ line, directory, report, known }: TestRunInput, { exitCode, output, stdout }: Ran): TestRun {
  let failing: readonly string[] | null = null;
  let reportFault: string | null = null;
  if (exitCode !== 0 && report) {
    try {
      failing = failingTests(report, { directory, stdout });
    } catch (error) {
      reportFault = (error as Error).message;
    }
  }
  const verdict = verdictOf({ exitCode, failing }, known);
  return { command: line, exitCode, output, verdict, failing, reportFault, flaky: null };
}

const FAILS = {
  target: 'over',
  actions: { type: 'fail', params: ({ event }: { event: { error: unknown } }) => ({ fault: faultText(event.error) }) },
} as const;

/**
 * Runs the tests of a checkout, and a failing run once more on the same commit: what passes then is flaky, and starts no fix
 * round. A timeout and a command that cannot be started are not repeated.
 */
export const machine = setup({
  types: { context: {} as TestRunContext, input: {} as TestRunInput, output: {} as TestRunOutput },
  actors: {
    reset: activity(async ({ directory, report }: { directory: string; report: TestReport | null }, { signal }) => {
      await git(['reset', '--hard', '--quiet'], { directory, signal });
      if (report) removeReport(report, directory);
      return null;
    }),
    test: command(({ line, directory, ports, timeoutMs }: TestRunInput) => ({
      file: 'sh',
      args: ['-c', line],
      cwd: directory,
      timeoutMs,
      env: { CI: '1', ...portEnvironment(ports) },
    })),
    judge: activity(({ input, ran }: { input: TestRunInput; ran: Ran }) => Promise.resolve(judged(input, ran))),
  },
  guards: {
    mayRepeat: ({ context: { before }, event }) => {
      const run = runIn(event);
      return before === null && run.verdict === 'failed' && run.exitCode !== null && !isNotStartable(run);
    },
  },
  actions: {
    fail: assign({ fault: (_, { fault }: { readonly fault: string }) => fault }),
    keep: assign({
      run: ({ context: { before }, event }) => {
        const run = runIn(event);
        const isFlaky = before !== null && run.exitCode === 0;
        return isFlaky ? { ...run, flaky: { exitCode: before.exitCode, output: before.output } } : run;
      },
    }),
  },
}).createMachine({
  id: 'test-run',
  context: ({ input }) => ({ input, before: null, run: null, fault: null }),
  initial: 'resetting',
  states: {
    resetting: {
      invoke: {
        src: 'reset',
        input: ({ context: { input } }) => ({ directory: input.directory, report: input.report }),
        onDone: 'running',
        onError: FAILS,
      },
    },
    running: {
      invoke: { src: 'test', input: ({ context }) => context.input, onDone: 'judging', onError: FAILS },
    },
    judging: {
      invoke: {
        src: 'judge',
        input: ({ context: { input }, event }) => ({ input, ran: ranIn(input, outputOf(event) as CommandResult) }),
        onDone: [
          { guard: 'mayRepeat', target: 'resetting', actions: assign({ before: ({ event }) => event.output }) },
          { target: 'over', actions: 'keep' },
        ],
        onError: FAILS,
      },
    },
    over: { type: 'final' },
  },
  output: ({ context: { run, fault } }): TestRunOutput => (run ? { run } : { fault: fault ?? 'nothing was run' }),
});
