import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failingInJunit, failingInTap } from '../../machines/autonomous-dev/test-report.ts';
import { isPassed, machine, type TestRunInput, type TestRunOutput } from '../../machines/autonomous-dev/test-run.ts';
import { RecordedWorkflow } from './recorded-workflow.ts';

const INPUT: TestRunInput = {
  line: 'npm test',
  directory: '/work/integration',
  ports: 20_010,
  timeoutMs: 60_000,
  report: null,
  known: null,
};

interface End {
  readonly exitCode: number | null;
  readonly verdict: 'passed' | 'failed' | 'no-evidence';
  readonly output?: string;
}

/** Runs that end like this, one after the other. */
function runs(...ends: readonly End[]): RecordedWorkflow {
  const run = new RecordedWorkflow(machine, { input: INPUT });
  for (const { exitCode, verdict, output = '' } of ends) {
    run.done('reset', null);
    run.done('test', { exitCode, timedOut: exitCode === null, stdout: output, stderr: '' });
    const input = run.started('judge').input as { readonly ran: object };
    expect(input.ran).toEqual({ exitCode, output, stdout: '' });
    run.done('judge', {
      command: 'npm test',
      exitCode,
      output,
      verdict,
      failing: null,
      reportFault: null,
      flaky: null,
    });
  }
  return run;
}

const outputOf = (run: RecordedWorkflow): TestRunOutput => {
  expect(run.status).toBe('done');
  return run.output as TestRunOutput;
};

describe('a test run', () => {
  it('is over when it passes', () => {
    const run = runs({ exitCode: 0, verdict: 'passed', output: 'ok' });
    expect(outputOf(run)).toMatchObject({ run: { exitCode: 0, output: 'ok', flaky: null } });
  });

  it('that fails is repeated once on the same commit, and what passes then is flaky', () => {
    const failed = { exitCode: 1, verdict: 'failed', output: 'no' } as const;
    const once = runs(failed);
    expect([once.status, once.countOf('reset')]).toEqual(['active', 2]);
    const flaky = outputOf(runs(failed, { exitCode: 0, verdict: 'passed', output: 'ok' }));
    expect(flaky).toMatchObject({ run: { exitCode: 0, output: 'ok', flaky: { exitCode: 1, output: 'no' } } });
    expect(outputOf(runs(failed, failed))).toMatchObject({ run: { exitCode: 1, flaky: null } });
  });

  it.each([
    { name: 'times out', exitCode: null },
    { name: 'may not be executed', exitCode: 126 },
    { name: 'is not found', exitCode: 127 },
  ])('that $name is not repeated', ({ exitCode }) => {
    expect(outputOf(runs({ exitCode, verdict: 'failed' }))).toMatchObject({ run: { exitCode } });
  });

  it('that shows nothing, because the base fails as well, is not repeated', () => {
    const { run } = outputOf(runs({ exitCode: 1, verdict: 'no-evidence' })) as { run: Parameters<typeof isPassed>[0] };
    expect(isPassed(run)).toBe(true);
  });

  it('ends with the reason if nothing can be run', () => {
    const unreset = new RecordedWorkflow(machine, { input: INPUT }).fails('reset', 'the disk is full');
    expect(outputOf(unreset)).toEqual({ fault: 'the disk is full' });
    const unstarted = new RecordedWorkflow(machine, { input: INPUT })
      .done('reset', null)
      .fails('test', 'spawn sh ENOENT');
    expect(outputOf(unstarted)).toEqual({ fault: 'spawn sh ENOENT' });
  });
});

describe('a JUnit report', () => {
  it('names tests that failed or had an error, and no others', () => {
    const xml = `<?xml version="1.0"?><testsuites><testsuite name="pytest">
      <testcase classname="tests.test_a" name="test_good"/>
      <testcase classname="tests.test_a" name="test_bad"><failure message="a &lt; b"><![CDATA[assert </failure>]]></failure></testcase>
      <testcase classname="tests.test_a" name="test_broken"><error/></testcase>
      <testcase classname="tests.test_a" name="test_skipped"><skipped/></testcase>
      <testcase name="alone &amp; äöü"><properties><property name="x"/></properties><failure/></testcase>
      <system-out>&lt;testcase name="no"&gt;&lt;failure/&gt;</system-out>
    </testsuite></testsuites>`;
    expect(failingInJunit(xml)).toEqual(['tests.test_a › test_bad', 'tests.test_a › test_broken', 'alone & äöü']);
  });

  it('that is no XML, or cut off, is refused with its file', () => {
    for (const xml of ['', 'plain text', '<testsuite><testcase name="a"><failure>', '<a></b>']) {
      expect(() => failingInJunit(xml, '/work/report.xml')).toThrow(/^\/work\/report\.xml is no XML: /);
    }
  });
});

describe('TAP', () => {
  it('names failed tests by their path, without those that are skipped or to do', () => {
    const tap = `TAP version 13
# Subtest: costs
    # Subtest: adds up
    not ok 1 - adds up
      ---
      not ok: in the diagnostics
      not ok 7 - either
      ...
    ok 2 - rounds
    not ok 3 - shares # TODO later
    1..3
not ok 1 - costs
ok 2 - prints # SKIP no terminal
not ok 3 needs no hyphen
not ok
1..4
`;
    expect(failingInTap(tap)).toEqual(['costs › adds up', 'costs', 'needs no hyphen', '']);
  });

  it('finds each failed test in any order among any others', () => {
    const name = fc.stringMatching(/^[a-z][a-z ]{0,9}[a-z]$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.boolean())), (tests) => {
        const text = tests.map(([one, isGood], at) => `${isGood ? '' : 'not '}ok ${at + 1} - ${one}`).join('\r\n');
        expect(failingInTap(text)).toEqual(tests.filter(([, isGood]) => !isGood).map(([one]) => one));
      }),
    );
  });
});
