import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { git } from '../../machines/autonomous-dev/git.ts';
import {
  describeBranch,
  faultOfCommit,
  integrationDirectory,
  mergeCommit,
  openBranch,
  openWorkspace,
  type Checkout,
  type Repository,
} from '../../machines/autonomous-dev/repository.ts';

let outer: string;
let repository: Repository;

beforeEach(async () => {
  outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-repository-')));
  const directory = path.join(outer, 'project');
  fs.mkdirSync(directory);
  await git(['init', '--quiet', '--initial-branch=main'], { directory });
  fs.writeFileSync(path.join(directory, 'list.txt'), 'one\ntwo\nthree\n');
  await git(['add', '--all'], { directory });
  await git(['commit', '--quiet', '--message', 'Start'], { directory });
  // Whatever the user has set up must not get in the way, nor be changed.
  fs.writeFileSync(path.join(directory, '.git', 'hooks', 'pre-commit'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  await git(['config', 'commit.gpgsign', 'true'], { directory });
  const base = await git(['rev-parse', 'HEAD'], { directory });
  repository = { directory, base, branch: 'mailroom/feature', workDirectory: path.join(outer, 'work') };
});
afterEach(() => fs.rmSync(outer, { recursive: true, force: true }));

/** Everything of the user's that has to stay as it is. */
async function usersState(): Promise<object> {
  const { directory } = repository;
  const read = (file: string): string => fs.readFileSync(path.join(directory, file), 'utf8');
  return {
    head: read('.git/HEAD'),
    main: await git(['rev-parse', 'main'], { directory }),
    status: await git(['status', '--porcelain'], { directory }),
    config: read('.git/config'),
    hook: read('.git/hooks/pre-commit'),
  };
}

async function commitIn({ directory }: Checkout, file: string, text: string): Promise<string> {
  fs.writeFileSync(path.join(directory, file), text);
  await git(['add', '--all'], { directory });
  await git(['commit', '--quiet', '--message', `Change ${file}`], { directory });
  return git(['rev-parse', 'HEAD'], { directory });
}

test('a branch, checkouts and merges leave what is the user’s as it is', async () => {
  const before = await usersState();
  await openBranch(repository);
  const workspace = await openWorkspace(repository, 'task-1');
  const commit = await commitIn(workspace, 'new.txt', 'new\n');
  const merged = await mergeCommit(repository, { commit, message: 'Merge task' });
  expect(merged).toMatchObject({ status: 'merged' });
  expect(await usersState()).toEqual(before);
  expect(await describeBranch(repository)).toMatchObject({
    commits: [/Merge task/, /Change new\.txt/].map((one) => expect.stringMatching(one) as string),
  });
});

test('each can be done again after a kill: the same checkout, one merge', async () => {
  await openBranch(repository);
  const first = await openWorkspace(repository, 'task-1');
  const commit = await commitIn(first, 'new.txt', 'new\n');
  expect(await openWorkspace(repository, 'task-1')).toEqual(first);
  expect(await openBranch(repository)).toMatchObject({ base: repository.base });
  const once = await mergeCommit(repository, { commit, message: 'Merge task' });
  const other = await commitIn(await openWorkspace(repository, 'task-2'), 'other.txt', 'other\n');
  await mergeCommit(repository, { commit: other, message: 'Merge another' });
  expect(await mergeCommit(repository, { commit, message: 'Merge task' })).toEqual(once);
  expect((await describeBranch(repository)).commits).toHaveLength(4);
});

test('a checkout that was being made when its maker was killed is made again', async () => {
  await openBranch(repository);
  const { directory, base } = await openWorkspace(repository, 'task-1');
  fs.rmSync(`${directory}.ready`);
  fs.rmSync(path.join(directory, 'list.txt'));
  expect(await openWorkspace(repository, 'task-1')).toMatchObject({ directory, base });
  expect(fs.readFileSync(path.join(directory, 'list.txt'), 'utf8')).toBe('one\ntwo\nthree\n');
});

test('worktrees of the user are not forgotten, although their disk is not there now', async () => {
  const { directory } = repository;
  const users = path.join(outer, 'removable');
  await git(['worktree', 'add', '--quiet', '-b', 'users', users], { directory });
  fs.renameSync(users, `${users}.unmounted`);
  await openBranch(repository);
  const { directory: checkout } = await openWorkspace(repository, 'task-1');
  fs.rmSync(`${checkout}.ready`);
  await openWorkspace(repository, 'task-1');
  fs.renameSync(`${users}.unmounted`, users);
  expect(await git(['status', '--short', '--branch'], { directory: users })).toBe('## users');
});

test('a conflict changes nothing and names its files, also after a merge that was killed in the middle', async () => {
  await openBranch(repository);
  const [one, two] = [await openWorkspace(repository, 'task-1'), await openWorkspace(repository, 'task-2')];
  const first = await commitIn(one, 'list.txt', 'one\nTWO\nthree\n');
  const second = await commitIn(two, 'list.txt', 'one\nzwei\nthree\n');
  await mergeCommit(repository, { commit: first, message: 'Merge the first' });
  const before = await describeBranch(repository);
  const conflict = { status: 'conflict', files: ['list.txt'], with: before.head };
  expect(await mergeCommit(repository, { commit: second, message: 'Merge the second' })).toEqual(conflict);
  const directory = integrationDirectory(repository);
  await git(['merge', '--no-commit', second], { directory }).catch(() => {});
  expect(await mergeCommit(repository, { commit: second, message: 'Merge the second' })).toEqual(conflict);
  expect(await describeBranch(repository)).toEqual(before);
  expect(await git(['status', '--porcelain'], { directory })).toBe('');
});

test('a commit that cannot be reviewed is told why', async () => {
  await openBranch(repository);
  const workspace = await openWorkspace(repository, 'task-1');
  const { base } = workspace;
  const faultOf = (commit: string): Promise<string | undefined> => faultOfCommit(repository, { commit, base });
  expect(await faultOf('0123456789')).toContain('there is no commit');
  expect(await faultOf(base)).toContain('nothing is committed yet');
  expect(await faultOf(await commitIn(workspace, 'new.txt', 'new\n'))).toBeUndefined();
  await git(['checkout', '--quiet', '--orphan', 'elsewhere'], { directory: workspace.directory });
  expect(await faultOf(await commitIn(workspace, 'new.txt', 'newer\n'))).toContain('is not on top of');
});

test('what makes a checkout ready is run in each, and its failure is told', async () => {
  repository = { ...repository, setup: 'cp list.txt ready.txt' };
  await openBranch(repository);
  const { directory } = await openWorkspace(repository, 'task-1');
  expect(fs.existsSync(path.join(directory, 'ready.txt'))).toBe(true);
  repository = { ...repository, setup: 'echo no such package; exit 3' };
  await expect(openWorkspace(repository, 'task-2')).rejects.toThrow(
    /exit 3 failed in .*task-2 \(3\): no such package/s,
  );
});
