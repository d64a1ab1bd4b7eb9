import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { git } from '../../machines/autonomous-dev/git.ts';
import { slugOf } from '../../machines/main-job/preflight.ts';
import { NotStarted, parseOptions } from '../../machines/main-job/options.ts';
import { prepareRun, type Prepared } from '../../machines/main-job/prepare.ts';

const MAIN = path.join(import.meta.dirname, '..', '..', 'machines', 'main-job', 'main.ts');
const TSX = import.meta.resolve('tsx');

let outer: string;
beforeEach(() => void (outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-start-')))));
afterEach(() => fs.rmSync(outer, { recursive: true, force: true }));

function start(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): { status: number | null; stdout: string; stderr: string } {
  const options = { cwd: outer, env: { ...process.env, ...env }, encoding: 'utf8' } as const;
  return spawnSync(process.execPath, ['--import', TSX, MAIN, ...args], options);
}

async function repositoryIn(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const directory = path.join(outer, name);
  fs.mkdirSync(directory);
  await git(['init', '--quiet', '--initial-branch=main'], { directory });
  for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(directory, file), text);
  if (Object.keys(files).length === 0) return directory;
  await git(['add', '--all'], { directory });
  await git(['commit', '--quiet', '--message', 'Start'], { directory });
  return directory;
}

const OWN = ['--feature', 'Pay in two parts', '--agents', "a='true',b='true'"];
const PACKAGE = JSON.stringify({ scripts: { test: 'node --test' } });

test('what cannot begin is one clear line, and nothing is changed', async () => {
  fs.mkdirSync(path.join(outer, 'plain'));
  await repositoryIn('empty', {});
  await repositoryIn('untested', { 'a.txt': 'a' });
  const dirty = await repositoryIn('dirty', { 'package.json': PACKAGE });
  fs.writeFileSync(path.join(dirty, 'new.txt'), 'new');
  const taken = await repositoryIn('taken', { 'package.json': PACKAGE });
  await git(['branch', 'mailroom/pay-in-two-parts'], { directory: taken });
  const cases: readonly (readonly [args: readonly string[], said: RegExp])[] = [
    [['--repo', 'nowhere', ...OWN], /^There is no directory .*nowhere\.$/],
    [['--repo', 'plain', ...OWN], /is no git repository\. Make it one/],
    [['--repo', 'empty', ...OWN], /has no commit yet/],
    [['--repo', 'untested', ...OWN], /has no test command .* --test/],
    [['--repo', 'dirty', ...OWN], /has 1 uncommitted changes/],
    [
      ['--repo', 'taken', ...OWN, '--branch', 'mailroom/pay-in-two-parts'],
      /The branch mailroom\/pay-in-two-parts is there already/,
    ],
    [['--repo', 'taken', ...OWN, '--branch', 'no..name'], /is no name for a branch/],
    [['--repo', 'taken', '--feature', '@missing.md', '--agents', 'a=b,c=d'], /--feature @missing\.md: ENOENT/],
  ];
  const before = fs.readdirSync(outer, { recursive: true }).length;
  const wrong = await Promise.all(
    cases.map(async ([args]) => {
      // As it is given in a shell in that directory.
      const inDirectory = args.map((word, at) => (args[at - 1] === '--repo' ? path.join(outer, word) : word));
      return prepareRun(parseOptions(inDirectory)).then(String, (error: unknown) => error);
    }),
  );
  for (const [at, [args, said]] of cases.entries()) {
    expect(wrong[at], args.join(' ')).toBeInstanceOf(NotStarted);
    expect((wrong[at] as NotStarted).message).toMatch(said);
    expect((wrong[at] as NotStarted).message).not.toContain('\n');
  }
  const [[args, said] = [[], /x/]] = cases;
  const { status, stdout, stderr } = start(args);
  expect([status, stdout, stderr.trim().split('\n').length]).toEqual([2, '', 1]);
  expect(stderr.trim()).toMatch(said);
  expect(start(['--repo', 'dirty', ...OWN], { PATH: path.join(outer, 'plain') }).stderr).toMatch(
    /^git (was not found|could not be run)/,
  );
  expect(fs.readdirSync(outer, { recursive: true })).toHaveLength(before);
});

test('a run has an id of its own that it keeps, and one of an older version is refused', async () => {
  const directory = await repositoryIn('shop', { 'package.json': PACKAGE });
  const prepare = (...words: readonly string[]): Promise<Prepared> =>
    prepareRun(parseOptions(['--repo', directory, ...OWN, ...words]));
  const { run } = await (await prepare()).open();
  const { branch, run: id } = run.input.repository;
  expect([branch, id]).toEqual(['mailroom/pay-in-two-parts', expect.stringMatching(/^[0-9a-f]{8}$/)]);
  expect((await (await prepare()).open()).run).toEqual(run);
  await git(['branch', branch], { directory });
  const next = (await (await prepare('--new')).open()).run.input.repository;
  expect(next.run).not.toBe(id);
  expect(next.branch).toBe(`${branch}-${next.run}`);
  const file = path.join(outer, 'shop.runs', 'pay-in-two-parts-2', 'run.json');
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('"v": 2', '"v": 1'));
  await expect(prepare()).rejects.toThrow(
    /^The run in .*pay-in-two-parts-2 was begun with another version of Mailroom \(format 1, expected 2\)\. .* --new\.$/,
  );
  expect((await prepare('--new')).plan).toMatch(/^Would begin a run in .*pay-in-two-parts-3\./);
});

test('--dry-run shows what would be done, and does nothing', async () => {
  const before = fs.readdirSync(outer).length;
  const { status, stdout, stderr } = start(['--dry-run', '--max-hours', '2']);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/the branch mailroom\/feature/);
  expect(stdout).toMatch(/ends +after 2 hours at the latest/);
  for (const agent of ['ada', 'ben', 'cleo', 'dan']) expect(stdout).toContain(`${agent}: node `);
  expect(fs.readdirSync(outer)).toHaveLength(before);
});

test('the options are checked, and the help names each', () => {
  expect(() => parseOptions(['--repo', 'x'])).toThrow('--repo needs --feature and --agents');
  expect(() => parseOptions(['--feature', 'x'])).toThrow('add --repo');
  expect(() => parseOptions(['--pull-request'])).toThrow('--pull-request is for a repository of your own: add --repo');
  expect(() => parseOptions(['--bogus'])).toThrow('--bogus');
  expect(() => parseOptions(['--max-hours', 'soon'])).toThrow('expected a number of hours');
  expect(() => parseOptions(['--repo', 'x', '--feature', 'f', '--agents', 'a=claude'])).toThrow('at least two');
  expect(() => parseOptions(['--repo', 'x', '--feature', 'f', '--agents', 'a=b,a=c'])).toThrow('the same address');
  expect(() => parseOptions(['--repo', 'x', '--feature', 'f', '--agents', 'claude'])).toThrow('is no agent');
  const { status, stdout } = start(['--help']);
  expect(status).toBe(0);
  for (const name of [
    'repo',
    'feature',
    'agents',
    'plan',
    'test',
    'setup',
    'branch',
    'runs',
    'pull-request',
    'max-hours',
    'tmux',
    'new',
    'dry-run',
  ])
    expect(stdout).toContain(`--${name}`);
});

test('a feature names its branch', () => {
  expect(slugOf('Let customers pay in two parts!\nMore text')).toBe('let-customers-pay-in-two-parts');
  expect(slugOf('# Größe & Preis')).toBe('gro-e-preis');
  expect(slugOf('…')).toBe('feature');
});
