import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { deliver } from '../../machines/autonomous-dev/loop.ts';
import type { Delivery } from '../../machines/autonomous-dev/context.ts';
import { git } from '../../machines/autonomous-dev/git.ts';
import { parseLoop, type LoopSettings } from '../../machines/autonomous-dev/input.ts';
import { byHand, publicationOf, type Publication } from '../../machines/autonomous-dev/pull-request.ts';
import { publish } from '../../machines/autonomous-dev/publish.ts';
import type { LoopReport } from '../../machines/autonomous-dev/report.ts';
import { openBranch, openWorkspace } from '../../machines/autonomous-dev/checkouts.ts';
import { mergeCommit } from '../../machines/autonomous-dev/merge.ts';
import { integrationDirectory } from '../../machines/autonomous-dev/repository.ts';
import { runProgram } from '../../machines/shared/run-program.ts';
import { until } from '../hostile/until.ts';
import { bundleProgram } from '../processes/bundle.ts';
import { choice } from '../run/amount.ts';
import { SEED } from '../run/seed.ts';
import { GitWithGh } from './git-with-gh.ts';

const BRANCH = 'mailroom/pay';
const FEATURE = '# Pay in two parts: it\'s "half" $HOME `now`\n\nLet customers pay in two parts.';

let ground: GitWithGh;
let remote: string;
beforeEach(async () => {
  ground = new GitWithGh();
  await ground.begin();
  remote = await ground.follow('origin', 'main');
});
afterEach(() => ground[Symbol.dispose]());

async function settingsOf(place = { remote: 'origin', base: 'main' }): Promise<LoopSettings> {
  return parseLoop({
    feature: FEATURE,
    repository: {
      directory: ground.directory,
      base: await ground.git('rev-parse', 'HEAD'),
      branch: BRANCH,
      run: 'pay1',
      workDirectory: path.join(ground.outer, 'run'),
    },
    testCommand: 'npm test',
    pullRequest: place,
    agents: ['ada', 'ben'],
  });
}

/** A branch with a commit, delivered as the loop does it. */
async function delivered(place?: {
  remote: string;
  base: string;
}): Promise<{ publication: Publication; delivery: Delivery; head: string }> {
  const terms = await settingsOf(place);
  const { feature, repository } = terms;
  await openBranch(repository);
  const { directory } = await openWorkspace(repository, { name: 'pay-1', start: repository.base });
  fs.writeFileSync(path.join(directory, 'pay.js'), 'pay\n');
  await git(['add', '--all'], { directory });
  await git(['commit', '--quiet', '--message', 'Pay'], { directory });
  const approved = await git(['rev-parse', 'HEAD'], { directory });
  const merge = await mergeCommit(repository, { head: repository.base, commit: approved, message: 'Merge pay' });
  if (merge.status !== 'merged') throw new Error('it was not merged');
  const report: LoopReport = {
    outcome: 'delivered',
    reason: '',
    feature,
    branch: BRANCH,
    base: repository.base,
    findings: null,
    planSource: 'ada',
    tasks: [],
    changes: [],
    tests: [],
    delivery: null,
    pullRequest: null,
  };
  const merges = [{ commit: merge.commit, approved }];
  const delivery = await deliver(terms, { report, merges }, new AbortController().signal);
  return { publication: publicationOf(terms, delivery.head), delivery, head: merge.commit };
}

/** Expects the prepared text to be that of the pull request, below its title. */
function expectText(delivery: Delivery, body: string): void {
  const title = '# Pay in two parts: it\'s "half" `$HOME` `now`';
  expect(fs.readFileSync(delivery.pullRequest, 'utf8')).toBe(`${title}\n\n${body}`);
  expect(body).toMatch(/^> Let customers pay in two parts\.\n\nBranch `mailroom\/pay` at /);
}

const refsOf = async (directory: string): Promise<string[]> =>
  (await git(['for-each-ref', '--format=%(refname) %(objectname)'], { directory })).split('\n');
const callsOf = (): string[] => ground.calls.map(({ words }) => words.slice(0, 2).join(' '));

test('the branch is pushed and a pull request opened with the prepared title and text', async () => {
  fs.writeFileSync(path.join(ground.directory, '.git', 'hooks', 'pre-push'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  await ground.git('config', 'push.followTags', 'true');
  const { publication, delivery, head } = await delivered();
  await ground.git('tag', '--annotate', '--message', 'mine', 'mine', BRANCH);
  const [before, main] = [await ground.users(), await ground.git('rev-parse', 'main')];
  const url = await publish(publication);
  expect(await ground.users()).toEqual(before);
  expect(await refsOf(remote)).toEqual([`refs/heads/${BRANCH} ${head}`, `refs/heads/main ${main}`]);
  expect(ground.pulls).toMatchObject([
    { url, headRefName: BRANCH, baseRefName: 'main', title: 'Pay in two parts: it\'s "half" $HOME `now`' },
  ]);
  const [{ body } = { body: '' }] = ground.pulls;
  expectText(delivery, body);
  for (const { cwd, prompt } of ground.calls)
    expect([cwd, prompt]).toEqual([path.join(ground.outer, 'run', 'integration'), '1']);
});

test('a commit added to the branch after the delivery is named, and nothing leaves this machine', async () => {
  const { publication, delivery } = await delivered();
  const directory = integrationDirectory(publication.repository);
  await git(['commit', '--quiet', '--allow-empty', '--message', 'Planted'], { directory });
  const planted = await git(['rev-parse', 'HEAD'], { directory });
  // The delivered branch is the user's; the checkout does not hold it any more.
  await ground.git('branch', '--force', BRANCH, planted);
  const before = await refsOf(remote);
  await expect(publish(publication)).rejects.toThrow(
    `The branch ${BRANCH} is at ${planted}, but this run left it at ${delivery.head}.`,
  );
  expect([await refsOf(remote), callsOf()]).toEqual([before, []]);
  // The printed commands push the delivered commit, and nothing else.
  for (const line of byHand(publication)) execFileSync('sh', ['-c', line], { stdio: 'ignore' });
  expect(await refsOf(remote)).toContain(`refs/heads/${BRANCH} ${delivery.head}`);
});

test('is idempotent: a second run finds the same pull request and changes nothing', async () => {
  const { publication } = await delivered();
  const url = await publish(publication);
  const before = await refsOf(remote);
  expect(await publish(publication)).toBe(url);
  expect(ground.pulls).toHaveLength(1);
  expect(await refsOf(remote)).toEqual(before);
  expect(callsOf()).toEqual(['pr list', 'pr create', 'pr list']);
});

const KILLS = [
  ['when the branch is pushed', 'kills-before-list', 0],
  ['when the pull request is created, before it is answered', 'kills-after-create', 1],
] as const;

// The seed chooses one of them; the long set has both.
test.each(choice(KILLS, (kill) => kill === KILLS[SEED % KILLS.length]))(
  'killed %s, it still ends with one pull request',
  async (_when, trouble, pulls) => {
    const { publication, head } = await delivered();
    ground.trouble = trouble;
    const once = bundleProgram("import './fixtures/gh/publish-once.ts';", path.join(ground.outer, 'publish-once.mjs'));
    const { signal, stdout } = spawnSync(process.execPath, [once, JSON.stringify(publication)], { encoding: 'utf8' });
    expect([signal, stdout]).toEqual(['SIGKILL', '']);
    expect(await refsOf(remote)).toContain(`refs/heads/${BRANCH} ${head}`);
    expect(ground.pulls).toHaveLength(pulls);
    ground.trouble = '';
    const url = await publish(publication);
    expect(ground.pulls).toMatchObject([{ url, headRefName: BRANCH }]);
  },
);

test('a pull request whose answer was lost is found', async () => {
  const { publication } = await delivered();
  ground.trouble = 'loses-answer';
  expect(await publish(publication)).toBe(ground.pulls[0]?.url);
  expect(ground.pulls).toHaveLength(1);
});

test('a pull request of a fork, or a closed one, is not taken for its own', async () => {
  const other = { headRefName: BRANCH, baseRefName: 'main', url: 'https://github.com/x/y/pull/1', state: 'OPEN' };
  ground.pulls = [
    { ...other, isCrossRepository: true },
    { ...other, state: 'CLOSED', isCrossRepository: false },
  ];
  const { publication } = await delivered();
  expect(await publish(publication)).toMatch(/\/pull\/3$/);
});

test('it is opened in the repository that is pushed to, whatever other remotes exist', async () => {
  const place = { remote: 'my/fork', base: 'release/2.0' };
  await ground.follow('my/fork', 'release/2.0');
  await ground.follow('upstream', 'main');
  // As `gh repo set-default upstream` leaves it.
  await ground.git('config', 'remote.upstream.gh-resolved', 'base');
  vi.stubEnv('GH_REPO', 'someone/else');
  const { publication } = await delivered(place);
  await publish(publication);
  expect(ground.pulls).toMatchObject([{ remote: 'my/fork', baseRefName: 'release/2.0' }]);
  expect(await refsOf(remote)).toHaveLength(1);
});

test('a refusal by gh is reported in its words, with the commands to open it by hand', async () => {
  const { publication, delivery } = await delivered();
  ground.trouble = 'refuses';
  await expect(publish(publication)).rejects.toThrow(
    /^gh pr create failed \(1\): pull request create failed: GraphQL: was submitted too quickly/,
  );
  expect(ground.pulls).toEqual([]);
  ground.trouble = 'logged-out';
  await expect(publish(publication)).rejects.toThrow(/^gh pr list failed \(4\): .*gh auth login/);
  ground.trouble = '';
  for (const line of byHand(publication)) execFileSync('sh', ['-c', line], { stdio: 'ignore' });
  expectText(delivery, ground.pulls[0]?.body ?? '');
});

test('without gh it says so after the push', async () => {
  const { publication } = await delivered();
  const bin = path.join(ground.outer, 'git-only');
  fs.mkdirSync(bin);
  const [program = ''] = execFileSync('which', ['git'], { encoding: 'utf8' }).split('\n');
  fs.symlinkSync(program, path.join(bin, 'git'));
  vi.stubEnv('PATH', bin);
  await expect(publish(publication)).rejects.toThrow('spawn gh ENOENT');
});

test('after a refused push no pull request is opened, and nothing is overwritten', async () => {
  const { publication } = await delivered();
  const hook = path.join(remote, 'hooks', 'pre-receive');
  fs.writeFileSync(hook, '#!/bin/sh\necho this branch is protected\nexit 1\n', { mode: 0o755 });
  await expect(publish(publication)).rejects.toThrow(/^git push failed \(1\): [^]*this branch is protected/);
  fs.rmSync(hook);
  await ground.git('commit', '--quiet', '--allow-empty', '--message', 'Of somebody else');
  await ground.git('push', '--quiet', 'origin', `HEAD:refs/heads/${BRANCH}`);
  const before = await refsOf(remote);
  await expect(publish(publication)).rejects.toThrow(/^git push failed \(1\): [^]*rejected/);
  expect(await refsOf(remote)).toEqual(before);
  expect(callsOf()).toEqual([]);
});

test('a hanging gh is ended with the development', async () => {
  const { publication } = await delivered();
  ground.trouble = 'hangs';
  const leaving = new AbortController();
  const published = publish(publication, leaving.signal);
  await until('gh is asked', () => callsOf().includes('pr list'));
  leaving.abort(new Error('leaving'));
  await expect(published).rejects.toThrow('leaving');
});

test('a program that exceeds its time limit is ended with all its children', async () => {
  // A child that holds the output keeps the program from ending.
  const program = { file: 'sh', args: ['-c', 'sleep 600 & wait'], cwd: ground.outer, msMax: 500 };
  expect(await runProgram(program, undefined)).toMatchObject({ exitCode: null });
});

test('a process that left the group of a program is not waited for', async () => {
  const program = { file: 'sh', args: ['-c', 'setsid sleep 600 & echo $!'], cwd: ground.outer, msMax: 60_000 };
  const { exitCode, stdout } = await runProgram(program, undefined);
  // It still runs, so it was not waited for.
  expect(stdout).toMatch(/^[1-9]\d*$/);
  process.kill(Number(stdout), 'SIGKILL');
  expect(exitCode).toBe(0);
});
