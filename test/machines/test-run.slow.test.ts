import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { git } from '../../machines/autonomous-dev/git.ts';
import { machine, type TestRun, type TestRunInput } from '../../machines/autonomous-dev/test-run.ts';
import { initRoom, openRoom } from '../../src/index.ts';
import { nodeHost, runWorkflow } from '../../src/runtime.ts';
import { until } from '../hostile/until.ts';
import { choice } from '../run/amount.ts';
import { SEED } from '../run/seed.ts';

let outer: string;
let directory: string;
beforeEach(async () => {
  outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-test-run-')));
  directory = path.join(outer, 'checkout');
  fs.mkdirSync(directory);
  await git(['init', '--quiet', '--template=', '--initial-branch=main'], { directory });
  fs.writeFileSync(path.join(directory, 'a.test.mjs'), suite({ good: true, bad: false }));
  await git(['add', '--all'], { directory });
  await git(['commit', '--quiet', '--message', 'Start'], { directory });
});
afterEach(() => fs.rmSync(outer, { recursive: true, force: true }));

/** Tests by name, and whether each passes. */
function suite(tests: Readonly<Record<string, boolean>>): string {
  const each = Object.entries(tests).map(([name, isGood]) => `test('${name}', () => assert.ok(${isGood}));\n`);
  return `import { test } from 'node:test';\nimport assert from 'node:assert/strict';\n${each.join('')}`;
}

let count = 0;
/** Runs a command as the tests of the checkout, in a room of its own. */
async function run(line: string, over: Partial<TestRunInput> = {}): Promise<TestRun> {
  const cwd = path.join(outer, `room-${count++}`);
  fs.mkdirSync(cwd);
  await using room = await openRoom({ directory: (await initRoom({ cwd })).directory });
  const input = { line, directory, ports: 20_010, timeoutMs: 60_000, report: null, known: null, ...over };
  const result = await runWorkflow(room, machine, { input });
  if (result.status !== 'done' || !('run' in result.output)) throw new Error(JSON.stringify(result));
  return result.output.run;
}

it('repeats a failing run on the same commit, without what the first one has changed', async () => {
  const line = 'cat a.test.mjs | wc -l; echo x >> a.test.mjs; test -e ../second || { touch ../second; exit 3; }';
  const { exitCode, output, verdict, flaky } = await run(line);
  expect({ exitCode, output: output.trim(), verdict }).toEqual({ exitCode: 0, output: '4', verdict: 'passed' });
  expect(flaky).toMatchObject({ exitCode: 3, output: expect.stringMatching(/^ *4$/) as string });
});

const REPORTS = [
  { format: 'tap', path: '-', line: 'node --test --test-reporter=tap' },
  { format: 'tap', path: 'out/report.tap', line: 'mkdir -p out; node --test --test-reporter=tap > out/report.tap' },
  {
    format: 'junit',
    path: 'report.xml',
    line: 'node --test --test-reporter=junit --test-reporter-destination=report.xml',
  },
  {
    format: 'junit',
    path: 'reports',
    line: 'mkdir -p reports; node --test --test-reporter=junit --test-reporter-destination=reports/a.xml',
  },
] as const;

// One of them by the seed; what is in them is tried in test-run.test.ts.
const tried = choice(REPORTS, (one) => REPORTS.indexOf(one) === SEED % REPORTS.length);

it.each(tried)('takes $format in $path for what failed, and passes what failed before', async ({ line, ...report }) => {
  const base = await run(line, { report });
  expect(base).toMatchObject({ verdict: 'failed', reportFault: null });
  expect(base.failing?.some((name) => name.endsWith('bad'))).toBe(true);
  expect(base.failing?.some((name) => name.endsWith('good'))).toBe(false);
  const known = { names: base.failing ?? [] };
  expect(await run(line, { report, known })).toMatchObject({ verdict: 'passed', exitCode: 1 });
  fs.writeFileSync(path.join(directory, 'a.test.mjs'), suite({ good: false, bad: false }));
  await git(['commit', '--quiet', '--all', '--message', 'Break it'], { directory });
  expect(await run(line, { report, known })).toMatchObject({ verdict: 'failed', exitCode: 1 });
  // The report of the run before is no report of this one.
  if (report.path === '-') return;
  const silent = await run('exit 1', { report, known });
  expect(silent).toMatchObject({ verdict: 'failed', failing: null, reportFault: expect.stringContaining('wrote no') });
});

it('gives the command no input and no terminal, its ports, and CI', async () => {
  const line = 'read x || echo "no input"; test -t 0 || echo "no terminal"; echo "$PORT $MAILROOM_PORT_BASE $CI"';
  expect((await run(line)).output.trim()).toBe('no input\nno terminal\n20010 20010 1');
});

it('keeps the tail of an output of 50 MB', async () => {
  const { output } = await run('yes 0123456789 | head -c 50000000; echo; echo the end; exit 0');
  expect(output.length).toBeLessThanOrEqual(6_000);
  expect(output.endsWith('the end')).toBe(true);
});

it('ends a command that hangs, and everything that a command leaves running', async () => {
  const pidIn = (name: string): number => Number(fs.readFileSync(path.join(outer, name), 'utf8'));
  const isGone = (pid: number): boolean => nodeHost.processes.identify(pid) === undefined;
  expect(await run('set -m; sleep 600 & echo $! > ../left; exit 0')).toMatchObject({ exitCode: 0 });
  await until('the process that was left is gone', () => isGone(pidIn('left')));
  expect(await run('echo $$ > ../hung; sleep 600', { timeoutMs: 300 })).toMatchObject({
    exitCode: null,
    verdict: 'failed',
    flaky: null,
  });
  await until('the process that hung is gone', () => isGone(pidIn('hung')));
});
