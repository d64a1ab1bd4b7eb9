import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { attemptGit, git } from '../../machines/autonomous-dev/git.ts';
import { openBranch } from '../../machines/autonomous-dev/checkouts.ts';
import type { Repository } from '../../machines/autonomous-dev/repository.ts';
import { parseOptions } from '../../machines/team/command-line.ts';
import { NotStarted } from '../../machines/team/options.ts';
import { prepareRun, type Prepared } from '../../machines/team/prepare.ts';
import type { Run } from '../../machines/team/run-directory.ts';
import { nodeHost } from '../../src/runtime.ts';
import { bundleProgram } from '../processes/bundle.ts';
import { choice } from '../run/amount.ts';
import { SEED } from '../run/seed.ts';
import { AS_BUILT } from './program.ts';

let outer: string;
beforeEach(() => void (outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-start-')))));
afterEach(() => fs.rmSync(outer, { recursive: true, force: true }));

function start(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  uid?: number,
): { status: number | null; stdout: string; stderr: string } {
  const user = uid === undefined ? {} : { uid, gid: uid };
  const options = { cwd: outer, env: { ...process.env, ...env }, encoding: 'utf8', ...user } as const;
  return spawnSync(process.execPath, [...AS_BUILT, ...args], options);
}

/** The unprivileged user on most systems. */
const NOBODY = 65_534;

function isReadableForAll(file: string): boolean {
  const above = path.dirname(file);
  return (fs.statSync(file).mode & 0o004) !== 0 && (above === file || isReadableForAll(above));
}

async function repositoryIn(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const directory = path.join(outer, name);
  fs.mkdirSync(directory);
  fs.cpSync(await templateOf(files), directory, { recursive: true });
  return directory;
}

/** A repository with these files in its only commit, made once and then copied. */
async function templateOf(files: Readonly<Record<string, string>>): Promise<string> {
  const key = JSON.stringify(files);
  const known = templates.get(key);
  if (known !== undefined) return known;
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-template-'));
  templates.set(key, directory);
  await git(['init', '--quiet', '--initial-branch=main'], { directory });
  for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(directory, file), text);
  if (Object.keys(files).length === 0) return directory;
  await git(['add', '--all'], { directory });
  await git(['commit', '--quiet', '--message', 'Start'], { directory });
  return directory;
}

const templates = new Map<string, string>();
afterAll(() => {
  for (const directory of templates.values()) fs.rmSync(directory, { recursive: true, force: true });
});

const OWN = ['--feature', 'Pay in two parts', '--agents', "a='true',b='true'"];
const PACKAGE = JSON.stringify({ scripts: { test: 'node --test' } });

test('an impossible start is refused with one clear line, and nothing is changed', async () => {
  fs.mkdirSync(path.join(outer, 'plain'));
  await repositoryIn('empty', {});
  await repositoryIn('untested', { 'a.txt': 'a' });
  const dirty = await repositoryIn('dirty', { 'package.json': PACKAGE });
  fs.writeFileSync(path.join(dirty, 'new.txt'), 'new');
  const taken = await repositoryIn('taken', { 'package.json': PACKAGE });
  await git(['branch', 'mailroom/pay-in-two-parts'], { directory: taken });
  const cases: readonly (readonly [args: readonly string[], said: RegExp])[] = [
    [['--repo', 'nowhere', ...OWN], /^There is no directory .*nowhere\.$/],
    [['--repo', 'taken/package.json', ...OWN], /^There is no directory .*package\.json\.$/],
    [['--repo', 'plain', ...OWN], /is no git repository\. Make it one/],
    [['--repo', 'empty', ...OWN], /has no commit yet/],
    [['--repo', 'untested', ...OWN], /^No test command was found in .* --test/],
    [['--repo', 'dirty', ...OWN], /has 1 uncommitted changes/],
    [
      ['--repo', 'taken', ...OWN, '--branch', 'mailroom/pay-in-two-parts'],
      /The branch mailroom\/pay-in-two-parts already exists/,
    ],
    [['--repo', 'taken', ...OWN, '--branch', 'no..name'], /is no valid branch name/],
    [['--repo', 'taken', '--feature', '@missing.md', '--agents', 'a=b,c=d'], /--feature @missing\.md: ENOENT/],
  ];
  const before = fs.readdirSync(outer, { recursive: true }).length;
  const wrong = await Promise.all(
    cases.map(async ([args]) => {
      // As typed in a shell in that directory.
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

test('a run keeps an id of its own, and a run of an older version is refused', async () => {
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
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('"v": 3', '"v": 2'));
  await expect(prepare()).rejects.toThrow(
    /^The run in .*pay-in-two-parts-2 was started with another version of Mailroom \(format 2, expected 3\)\. .* --new\.$/,
  );
  expect((await prepare('--new')).plan).toMatch(/^Would start a run in .*pay-in-two-parts-3\./);
});

/** The one line with which `prepareRun` refuses, or the plan it shows if it does not. */
async function refusal(repo: string, words: readonly string[] = []): Promise<string> {
  const options = parseOptions(['--repo', repo, ...OWN, ...words]);
  return prepareRun(options).then(
    ({ plan }) => plan,
    (error: unknown) => {
      if (!(error instanceof NotStarted) || error.message.includes('\n')) throw error;
      return error.message;
    },
  );
}

/** One that the seed chooses; in the long set all. */
function oneOf<T>(all: readonly T[]): T[] {
  const chosen = all[SEED % all.length];
  return choice(all, (one) => one === chosen);
}

const BEGINS = /^Would start a run in /;

describe('an unusable repository is refused', () => {
  test("because it has no files: a bare one, and git's own directory", async () => {
    const shop = await repositoryIn('shop', { 'package.json': PACKAGE });
    const bare = path.join(outer, 'bare.git');
    await git(['clone', '--quiet', '--bare', shop, bare], { directory: outer });
    expect(await refusal(bare)).toMatch(/bare\.git is a bare repository, .* \(git clone '.*bare\.git' <directory>\)/);
    expect(await refusal(path.join(shop, '.git'))).toMatch(/is inside git's own directory/);
    const linked = path.join(outer, 'linked');
    await git(['worktree', 'add', '--quiet', '-b', 'linked', linked], { directory: bare });
    expect(await refusal(linked)).toMatch(BEGINS);
  });

  test('during an unfinished git operation, and accepted afterwards', async () => {
    const shop = await repositoryIn('shop', { 'package.json': PACKAGE });
    const inShop = { directory: shop };
    const commit = async (branch: string): Promise<void> => {
      await git(['checkout', '--quiet', '-B', branch, 'main'], inShop);
      fs.writeFileSync(path.join(shop, 'a.txt'), branch);
      await git(['add', '--all'], inShop);
      await git(['commit', '--quiet', '--message', branch], inShop);
    };
    await commit('one');
    await commit('two');
    for (const [begin, name, end] of oneOf([
      [['rebase', 'one'], 'rebase', ['rebase', '--abort']],
      [['merge', 'one'], 'merge', ['merge', '--abort']],
      [['cherry-pick', 'one'], 'cherry-pick', ['cherry-pick', '--abort']],
      [['bisect', 'start', 'HEAD', 'main'], 'bisect', ['bisect', 'reset']],
    ] as const)) {
      await attemptGit(begin, inShop);
      expect(await refusal(shop)).toMatch(new RegExp(`is in the middle of a ${name}\\. .*git ${end.join(' ')}`));
      await git(end, inShop);
      expect(await refusal(shop)).toMatch(BEGINS);
    }
  });

  test.each(oneOf(['loose', 'packed']))('if a %s branch excludes the branch to deliver', async (kind) => {
    const shop = await repositoryIn('shop', { 'package.json': PACKAGE });
    const pack = async (): Promise<void> => {
      if (kind === 'packed') await git(['pack-refs', '--all'], { directory: shop });
    };
    await git(['branch', 'mailroom'], { directory: shop });
    await pack();
    expect(await refusal(shop)).toMatch(/^The branch mailroom excludes mailroom\/pay-in-two-parts-[0-9a-f]{8}: /);
    expect(await refusal(shop, ['--branch', 'parts'])).toMatch(BEGINS);
    await git(['branch', '--delete', '--force', 'mailroom'], { directory: shop });
    await git(['branch', 'parts/cash'], { directory: shop });
    await git(['branch', 'mailroom/pay-in-two-parts/cash'], { directory: shop });
    await pack();
    expect(await refusal(shop, ['--branch', 'parts'])).toContain('The branch parts/cash excludes parts: ');
    // A name derived from the feature gives way.
    expect(await refusal(shop)).toMatch(/delivers +the branch mailroom\/pay-in-two-parts-[0-9a-f]{8} and/);
    await git(['branch', '--delete', '--force', 'mailroom/pay-in-two-parts/cash'], { directory: shop });
    await git(['branch', 'mailroom/pay-in-two-parts-2'], { directory: shop });
    await pack();
    expect(await refusal(shop)).toMatch(BEGINS);
  });

  test('if its package.json is invalid', async () => {
    const shop = await repositoryIn('shop', { 'package.json': '{' });
    expect(await refusal(shop)).toMatch(/package\.json cannot be read: .* --test/);
  });

  // Both start as another user, who must be able to read the programs of this checkout.
  const isRoot = process.getuid?.() === 0;
  const canRunAsNobody = isRoot && isReadableForAll(AS_BUILT.at(-1) ?? '');

  test.runIf(canRunAsNobody)('if it belongs to another user', async () => {
    const shop = await repositoryIn('shop', { 'package.json': PACKAGE });
    fs.chmodSync(outer, 0o777);
    expect(start(['--repo', shop, ...OWN], { HOME: outer }, NOBODY)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^git refuses .*shop: .*dubious ownership.* safe\.directory \S+\n$/) as string,
    });
  });

  test.runIf(canRunAsNobody || !isRoot)('if it is not writable', async () => {
    const shop = await repositoryIn('shop', { 'package.json': PACKAGE });
    fs.chmodSync(outer, 0o777);
    for (const file of isRoot ? ['', ...fs.readdirSync(shop, { recursive: true, encoding: 'utf8' })] : [])
      fs.chownSync(path.join(shop, file), NOBODY, NOBODY);
    fs.chmodSync(path.join(shop, '.git', 'objects'), 0o555);
    expect(start(['--repo', shop, ...OWN], { HOME: outer }, isRoot ? NOBODY : undefined)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^\S+objects cannot be written \(EACCES\).*start again\.\n$/) as string,
    });
  });
});

test('a full disk is one clear line, and nothing is left of the run', async () => {
  const shop = await repositoryIn('shop', { 'package.json': PACKAGE });
  const prepared = await prepareRun(parseOptions(['--repo', shop, ...OWN]));
  const full = vi.spyOn(fs, 'writeFileSync').mockImplementationOnce(() => {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  });
  await expect(prepared.open()).rejects.toThrow(
    /^The run could not be created in \S+-1: ENOSPC: no space left on device, write\. Choose another place with --runs <dir.*$/,
  );
  full.mockRestore();
  expect(fs.readdirSync(path.join(outer, 'shop.runs'))).toEqual([]);

  fs.writeFileSync(path.join(outer, 'file'), '');
  const elsewhere = await prepareRun(
    parseOptions(['--repo', shop, ...OWN, '--runs', path.join(outer, 'file', 'runs')]),
  );
  await expect(elsewhere.open()).rejects.toThrow(/^The run could not be created in \S+-1: ENOTDIR/);
});

describe('the directory of the runs', () => {
  const placeIn = async (repo: string): Promise<string> =>
    /^Would start a run in (\S+)\.$/m.exec(await refusal(repo))?.[1] ?? '';

  test('is next to the top level, whichever directory of the repository is given', async () => {
    const shop = await repositoryIn('shop', { 'package.json': PACKAGE });
    const below = path.join(shop, 'src', 'deep');
    fs.mkdirSync(below, { recursive: true });
    fs.symlinkSync(below, path.join(outer, 'link'));
    for (const repo of [shop, path.join(shop, 'src'), below, path.join(outer, 'link')])
      expect(await placeIn(repo)).toBe(path.join(outer, 'shop.runs', 'pay-in-two-parts-1'));
  });

  test('is outside of every checkout, for a worktree in its repository, ignored or not, and for a submodule', async () => {
    const shop = await repositoryIn('shop', { 'package.json': PACKAGE, '.gitignore': '.trees/\n' });
    for (const [name, place] of [
      ['.trees/parts', 'parts.runs'],
      ['trees/cash', 'cash.runs'],
    ] as const) {
      const tree = path.join(shop, name);
      await git(['worktree', 'add', '--quiet', '-b', path.basename(name), tree], { directory: shop });
      expect(path.dirname(await placeIn(tree))).toBe(path.join(outer, place));
    }
    const whole = await repositoryIn('whole', { 'a.txt': 'a' });
    const add = ['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', shop, 'libraries/shop'];
    await git(add, { directory: whole });
    expect(path.dirname(await placeIn(path.join(whole, 'libraries', 'shop')))).toBe(path.join(outer, 'shop.runs'));
  });

  test('may be in another checkout that ignores it, as a home directory under git does', async () => {
    const home = await repositoryIn('home', { '.gitignore': '*\n!.gitignore\n' });
    await repositoryIn('home/shop', { 'package.json': PACKAGE });
    expect(path.dirname(await placeIn(path.join(home, 'shop')))).toBe(path.join(home, 'shop.runs'));
  });

  test('is refused where git would see it', async () => {
    const shop = await repositoryIn('shop', { 'package.json': PACKAGE, '.gitignore': 'ignored/\n' });
    const runs = path.join(shop, 'team', 'runs');
    expect(await refusal(shop, ['--runs', runs])).toBe(
      `${runs} is inside ${shop}, where git would see the runs. Choose a directory outside of it with --runs <directory>, or have git ignore this one.`,
    );
    expect(await refusal(shop, ['--runs', path.join(shop, 'ignored')])).toMatch(BEGINS);
    // The example started in that directory.
    const started = spawnSync(process.execPath, [...AS_BUILT], { cwd: shop, encoding: 'utf8' });
    expect([started.status, started.stdout]).toEqual([2, '']);
    expect(started.stderr).toMatch(/\/shop\/runs is inside \S+\/shop, where git would see the runs/);
    expect(await git(['status', '--porcelain'], { directory: shop })).toBe('');
  });
});

describe('an unended run', () => {
  /** Starts a run of a repository up to its directory, which it returns. This process is its host then. */
  async function begun(repo: string): Promise<string> {
    const { run } = await (await prepareRun(parseOptions(['--repo', repo, ...OWN]))).open();
    return run.directory;
  }

  test('of another repository is not resumed, although it has the same name in the same place', async () => {
    const runs = ['--runs', path.join(outer, 'runs')];
    const [shop, bank] = [
      await repositoryIn('shop', { 'package.json': PACKAGE }),
      await repositoryIn('bank', { 'package.json': PACKAGE }),
    ];
    for (const [repo, number] of [
      [shop, 1],
      [bank, 2],
    ] as const) {
      const prepared = await prepareRun(parseOptions(['--repo', repo, ...OWN, ...runs]));
      expect(prepared.plan).toContain(`Would start a run in ${outer}/runs/pay-in-two-parts-${number}.`);
      await prepared.open();
    }
    expect(await refusal(shop, runs)).toContain(`Would resume the run in ${outer}/runs/pay-in-two-parts-1.`);
  });

  test('is not started twice while its host lives, and is resumed when the host is gone', async () => {
    const shop = await repositoryIn('shop', { 'package.json': PACKAGE });
    const host = spawn('sleep', ['600']);
    try {
      const directory = await begun(shop);
      const prepared = await prepareRun(parseOptions(['--repo', shop, ...OWN]));
      const identity = nodeHost.processes.identify(host.pid ?? 0);
      fs.writeFileSync(path.join(directory, 'hosts', '1.json'), JSON.stringify(identity));
      const said = `The run in ${directory} is being carried out by process ${host.pid}. Let it finish, or end it (kill ${host.pid}) and start again; --new starts another run.`;
      expect(await refusal(shop)).toBe(said);
      // Also while that host is still creating it.
      fs.renameSync(path.join(directory, 'run.json'), path.join(directory, 'run.json.new'));
      expect(await refusal(shop)).toBe(said);
      expect(await refusal(shop, ['--new'])).toMatch(BEGINS);
      fs.renameSync(path.join(directory, 'run.json.new'), path.join(directory, 'run.json'));
      // Also a process that checked before the other host existed.
      await expect(prepared.open()).rejects.toThrow(said);
    } finally {
      host.kill('SIGKILL');
    }
    await new Promise((resolve) => host.once('exit', resolve));
    expect(await refusal(shop)).toMatch(/^Would resume/);
  });

  test('has one host even if several processes start at once', async () => {
    const shop = await repositoryIn('shop', { 'package.json': PACKAGE });
    const directory = await begun(shop);
    fs.rmSync(path.join(directory, 'hosts'), { recursive: true });
    const code = `import { hostRun } from './machines/team/run-host.ts';
      try { hostRun(${JSON.stringify(directory)}); console.log('host'); } catch (error) { console.log(error.message); }
      process.stdin.resume().on('end', () => {});`;
    const program = bundleProgram(code, path.join(outer, 'host-run.mjs'));
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    const said = await Promise.all(
      children.map(async ({ stdout }) => {
        for await (const chunk of stdout.setEncoding('utf8')) return String(chunk).trim();
        return '';
      }),
    );
    for (const child of children) child.stdin.end();
    const hosts = children.filter((_, at) => said[at] === 'host');
    expect(hosts).toHaveLength(1);
    expect(said.filter((text) => text.includes(`is being carried out by process ${hosts[0]?.pid}`))).toHaveLength(3);
  });

  test('says in one line what is missing, and resumes when that is restored as it says', async () => {
    const shop = await repositoryIn('shop', { 'package.json': PACKAGE });
    const directory = await begun(shop);
    const cannot = `The run in ${directory} cannot resume: `;
    const goesOn = `Would resume the run in ${directory}.`;
    const [saved, dotGit] = [path.join(outer, 'saved'), path.join(shop, '.git')];

    fs.renameSync(dotGit, saved);
    expect(await refusal(shop)).toContain(`${cannot}${shop} is no longer a git repository`);
    // A directory inside another repository is no repository itself.
    await git(['init', '--quiet'], { directory: outer });
    expect(await refusal(shop)).toContain(`${cannot}${shop} is no longer a git repository`);
    fs.rmSync(path.join(outer, '.git'), { recursive: true });
    fs.renameSync(shop, `${saved}.all`);
    expect(await refusal(shop)).toContain(`${cannot}${shop} is no longer a git repository`);
    fs.renameSync(`${saved}.all`, shop);
    await git(['init', '--quiet'], { directory: shop });
    expect(await refusal(shop)).toMatch(/cannot resume: its first commit, [0-9a-f]{10}, is no longer in \S+shop/);
    fs.rmSync(dotGit, { recursive: true });
    fs.renameSync(saved, dotGit);
    expect(await refusal(shop)).toContain(goesOn);

    const repository: Repository = (JSON.parse(fs.readFileSync(path.join(directory, 'run.json'), 'utf8')) as Run).input
      .repository;
    const { directory: integration } = await openBranch(repository);
    expect(await refusal(shop)).toContain(goesOn);
    fs.rmSync(integration, { recursive: true });
    const said = await refusal(shop);
    expect(said).toContain(`${cannot}its checkout ${integration} is gone. Restore it (git -C `);
    execFileSync('sh', ['-c', /\((git .*)\)/.exec(said)?.[1] ?? 'false'], { stdio: 'ignore' });
    expect(await refusal(shop)).toContain(goesOn);
    fs.rmSync(path.join(integration, '.git'));
    expect(await refusal(shop)).toContain(`its checkout ${integration} is gone`);
    await git(['worktree', 'remove', '--force', '--force', integration], { directory: shop }).catch(() => {});
    await git(['update-ref', '-d', `refs/heads/${repository.branch}`], { directory: shop });
    expect(await refusal(shop)).toContain(`${cannot}the branch ${repository.branch} was deleted from ${shop}`);
  });
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

test('the options are validated, and the help names those of the example', () => {
  expect(() => parseOptions(['--repo', 'x'])).toThrow('--repo requires --feature');
  expect(() => parseOptions(['--feature', 'x'])).toThrow('add --repo');
  expect(() => parseOptions(['--pull-request'])).toThrow('--pull-request is for a repository of your own: add --repo');
  expect(() => parseOptions(['--bogus'])).toThrow('--bogus');
  expect(() => parseOptions(['--max-hours', 'soon'])).toThrow('expected a number of hours');
  expect(() => parseOptions(['--repo', 'x', '--feature', 'f', '--agents', 'a=claude'])).toThrow('at least two');
  expect(() => parseOptions(['--repo', 'x', '--feature', 'f', '--agents', 'a=b,a=c'])).toThrow('the same address');
  expect(() => parseOptions(['--repo', 'x', '--feature', 'f', '--agents', 'claude'])).toThrow('is no agent');
  const { status, stdout } = start(['--help']);
  expect(status).toBe(0);
  for (const name of ['runs', 'max-hours', 'tmux', 'new', 'force', 'dry-run']) expect(stdout).toContain(`--${name}`);
});
