import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openBranch, openWorkspace, type Readiness } from '../../machines/autonomous-dev/checkouts.ts';
import { git } from '../../machines/autonomous-dev/git.ts';
import { isDeclared, lookAtCommit } from '../../machines/autonomous-dev/handed-in.ts';
import {
  assertDelivered,
  assertHead,
  settleIntegration,
  type LoopMerge,
} from '../../machines/autonomous-dev/integration.ts';
import { automaticMerge, describeBranch, mergeCommit, type Merge } from '../../machines/autonomous-dev/merge.ts';
import { integrationDirectory, type Checkout, type Repository } from '../../machines/autonomous-dev/repository.ts';
import { compare, snapshot, type Snapshot } from './repository-snapshot.ts';

let outer: string;
let repository: Repository;

let template: string;
let base: string;

beforeAll(async () => {
  template = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-template-'));
  const directory = template;
  await git(['init', '--quiet', '--initial-branch=main'], { directory });
  fs.writeFileSync(path.join(directory, 'list.txt'), 'one\ntwo\nthree\n');
  await git(['add', '--all'], { directory });
  await git(['commit', '--quiet', '--message', 'Start'], { directory });
  // The user's set-up must not interfere, and must not be changed.
  fs.writeFileSync(path.join(directory, '.git', 'hooks', 'pre-commit'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  await git(['config', 'commit.gpgsign', 'true'], { directory });
  base = await git(['rev-parse', 'HEAD'], { directory });
});
afterAll(() => fs.rmSync(template, { recursive: true, force: true }));
beforeEach(() => {
  outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-repository-')));
  const directory = path.join(outer, 'project');
  fs.cpSync(template, directory, { recursive: true });
  repository = { directory, base, branch: 'mailroom/feature', run: 'r1r1', workDirectory: path.join(outer, 'work') };
});
afterEach(() => fs.rmSync(outer, { recursive: true, force: true }));

/** Everything of the user's that must not change. */
const users = (): Snapshot => snapshot(path.join(repository.directory, '.git'), repository.directory);
const workspace = (name: string, start = repository.base): Promise<Checkout> =>
  openWorkspace(repository, { name, start });
const merge = (head: string, commit: string, message = 'Merge task'): Promise<Merge> =>
  mergeCommit(repository, { head, commit, message });
const idOf = (name: string): Promise<string> => git(['rev-parse', name], { directory: repository.directory });

async function commitIn({ directory }: { directory: string }, file: string, text: string): Promise<string> {
  fs.writeFileSync(path.join(directory, file), text);
  await git(['add', '--all'], { directory });
  await git(['commit', '--quiet', '--message', `Change ${file}`], { directory, author: 'ben' });
  return git(['rev-parse', 'HEAD'], { directory });
}

/** The merge of a commit, as the loop records it. */
async function mergedInto(head: string, approved: string): Promise<LoopMerge> {
  const done = await merge(head, approved);
  if (done.status !== 'merged') throw new Error(`it conflicts in ${done.files.join(', ')}`);
  return { commit: done.commit, approved };
}

test('a branch, checkouts and merges change nothing of the user’s', async () => {
  const before = users();
  await openBranch(repository);
  const commit = await commitIn(await workspace('task-1'), 'new.txt', 'new\n');
  const { commit: head } = await mergedInto(repository.base, commit);
  const { changed, added } = compare(before, users());
  expect(changed).toEqual([]);
  const inGit = added.map((file) => path.relative(path.join(repository.directory, '.git'), file));
  expect(inGit.filter((file) => !/^(?:logs\/)?refs\/(?:heads\/)?mailroom\/|^worktrees\//.test(file))).toEqual([]);
  expect((await describeBranch(repository, head)).commits).toMatchObject([
    expect.stringMatching(/Merge task/),
    expect.stringMatching(/Change new\.txt/),
  ]);
});

test('a run takes nothing from an earlier run of the same name', async () => {
  await openBranch(repository);
  const rejected = await commitIn(await workspace('task-1'), 'rejected.txt', 'bad\n');
  repository = { ...repository, run: 'r2r2', branch: 'mailroom/again', workDirectory: path.join(outer, 'again') };
  await openBranch(repository);
  const again = await workspace('task-1');
  expect(again.base).toBe(repository.base);
  expect(await git(['rev-parse', 'HEAD'], again)).toBe(repository.base);
  expect(await idOf('mailroom/feature.r1r1.task-1')).toBe(rejected);
});

test('a branch that the run has not created is not taken', async () => {
  const planted = 'mailroom/feature.r1r1.task-1';
  await openBranch(repository);
  await git(['branch', planted, repository.base], repository);
  const before = users();
  await expect(workspace('task-1')).rejects.toThrow(
    `The branch ${planted} already exists, at ${repository.base}, and this run has not created it.`,
  );
  expect(compare(before, users()).changed).toEqual([]);
});

test('all steps are idempotent after a kill: the same checkout, one merge', async () => {
  await openBranch(repository);
  const first = await workspace('task-1');
  const commit = await commitIn(first, 'new.txt', 'new\n');
  expect(await workspace('task-1')).toEqual(first);
  expect(await openBranch(repository)).toMatchObject({ base: repository.base });
  const once = await merge(repository.base, commit);
  // Before the merge was recorded, and during the check whether it is that merge.
  expect(await merge(repository.base, commit)).toEqual(once);
  const directory = integrationDirectory(repository);
  await git(['checkout', '--quiet', '--detach', repository.base], { directory });
  expect(await merge(repository.base, commit)).toEqual(once);
  expect(await git(['symbolic-ref', 'HEAD'], { directory })).toBe('refs/heads/mailroom/feature');
  expect((await describeBranch(repository, await idOf(repository.branch))).commits).toHaveLength(2);
});

test('a checkout whose creation was killed is created again', async () => {
  await openBranch(repository);
  const { directory } = await workspace('task-1');
  fs.rmSync(`${directory}.ready`);
  fs.rmSync(path.join(directory, 'list.txt'));
  expect(await workspace('task-1')).toMatchObject({ directory, base });
  expect(fs.readFileSync(path.join(directory, 'list.txt'), 'utf8')).toBe('one\ntwo\nthree\n');
});

test('worktrees of the user on an unmounted disk are not forgotten', async () => {
  const { directory } = repository;
  const removable = path.join(outer, 'removable');
  await git(['worktree', 'add', '--quiet', '-b', 'users', removable], { directory });
  fs.renameSync(removable, `${removable}.unmounted`);
  await openBranch(repository);
  const { directory: checkout } = await workspace('task-1');
  fs.rmSync(`${checkout}.ready`);
  await workspace('task-1');
  fs.renameSync(`${removable}.unmounted`, removable);
  expect(await git(['status', '--short', '--branch'], { directory: removable })).toBe('## users');
});

test('a conflict changes nothing and names its files, with either way of merging', async () => {
  await openBranch(repository);
  const [one, two] = [await workspace('task-1'), await workspace('task-2')];
  const first = await commitIn(one, 'list.txt', 'one\nTWO\nthree\n');
  const second = await commitIn(two, 'list.txt', 'one\nzwei\nthree\n');
  const other = await commitIn(await workspace('task-3'), 'größe.txt', 'new\n');
  const { commit: head } = await mergedInto(repository.base, first);
  const before = users();
  const conflict = { status: 'conflict', files: ['list.txt'], with: head };
  expect(await merge(head, second)).toEqual(conflict);
  const directory = integrationDirectory(repository);
  await git(['merge', '--no-commit', second], { directory }).catch(() => {});
  expect(await merge(head, second)).toEqual(conflict);
  for (const hasMergeTree of [true, false]) {
    expect(await automaticMerge(repository, { head, commit: second }, { hasMergeTree })).toEqual({
      files: ['list.txt'],
    });
  }
  const trees = [
    await automaticMerge(repository, { head, commit: other }),
    await automaticMerge(repository, { head, commit: other }, { hasMergeTree: false }),
  ];
  expect(trees[0]).toEqual({ tree: expect.stringMatching(/^[0-9a-f]{40}$/) as string });
  expect(trees[1]).toEqual(trees[0]);
  const { changed, added } = compare(before, users());
  expect(changed.filter((file) => !file.includes('/worktrees/integration/'))).toEqual([]);
  expect(added).toEqual([]);
  expect(await git(['status', '--porcelain'], { directory })).toBe('');
});

test('a commit that cannot be reviewed is refused with the reason', async () => {
  await openBranch(repository);
  const checkout = await workspace('task-1');
  const faultOf = async (commit: string): Promise<string> => {
    const looked = await lookAtCommit(repository, { commit, base: checkout.base });
    return 'fault' in looked ? looked.fault : `none, at ${looked.commit}`;
  };
  expect(await faultOf('0123456789')).toContain('there is no commit');
  expect(await faultOf('--help')).toContain('there is no commit');
  expect(await faultOf(base)).toContain('nothing is committed yet');
  const commit = await commitIn(checkout, 'new.txt', 'new\n');
  // A branch can be moved, a commit cannot.
  expect(await faultOf(checkout.branch)).toBe(`none, at ${commit}`);
  await git(['checkout', '--quiet', '--orphan', 'elsewhere'], checkout);
  expect(await faultOf(await commitIn(checkout, 'new.txt', 'newer\n'))).toContain('is not on top of');
});

test('changes outside of the files that a task names are found, without those that came from the branch', async () => {
  await openBranch(repository);
  const other = await commitIn(await workspace('task-0'), 'theirs.txt', 'theirs\n');
  const checkout = await workspace('task-1');
  await commitIn(checkout, 'new.txt', 'new\n');
  const { commit: head } = await mergedInto(repository.base, other);
  await git(['merge', '--quiet', '--no-edit', head], checkout);
  const commit = await commitIn(checkout, 'größe.txt', 'mine\n');
  const look = (files: readonly string[]): Promise<unknown> =>
    lookAtCommit(repository, { commit, base: checkout.base, files });
  expect(await look(['new.txt'])).toEqual({ commit, outside: ['größe.txt'] });
  expect(await look(['new.txt', 'grö*.txt'])).toEqual({ commit });
  // A task that names none may change all.
  expect(await look([])).toEqual({ commit });
});

test.each<readonly [declared: string, file: string, isDeclared: boolean]>([
  ['src/a.ts', 'src/a.ts', true],
  ['./src/a.ts', 'src/a.ts', true],
  ['src/', 'src/deep/a.ts', true],
  ['src', 'src2/a.ts', false],
  ['src/*.ts', 'src/a.ts', true],
  ['src/*.ts', 'src/deep/a.ts', false],
  ['src/**/*.ts', 'src/a.ts', true],
  ['src/**/*.ts', 'src/very/deep/a.ts', true],
  ['**/a.ts', 'a.ts', true],
  ['a+b (c)[d].ts', 'a+b (c)[d].ts', true],
  ['a.ts', 'aXts', false],
  ['?.ts', 'ab.ts', false],
])('a task that names %j and a change of %j: %j', (declared, file, expected) => {
  expect(isDeclared(file, ['other.txt', declared])).toBe(expected);
});

test('a repository inside a checkout is refused with advice, and a submodule is accepted', async () => {
  const submodule = path.join(outer, 'library');
  fs.mkdirSync(submodule);
  await git(['init', '--quiet'], { directory: submodule });
  await commitIn({ directory: submodule }, 'library.txt', 'one\n');
  const add = ['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', submodule];
  await git([...add, 'old'], repository);
  await git(['commit', '--quiet', '--message', 'A submodule'], repository);
  repository = { ...repository, base: await idOf('HEAD') };
  await openBranch(repository);
  const checkout = await workspace('task-1');
  const { directory } = checkout;
  const faultOf = async (): Promise<unknown> =>
    lookAtCommit(repository, { commit: await git(['rev-parse', 'HEAD'], checkout), base: checkout.base });
  const commit = await commitIn(checkout, 'new.txt', 'new\n');
  expect(await faultOf()).toEqual({ commit });
  await git([...add, 'new'], checkout);
  const withSubmodule = await commitIn(checkout, 'new.txt', 'newer\n');
  expect(await faultOf()).toEqual({ commit: withSubmodule });
  const embedded = path.join(directory, 'größe');
  fs.mkdirSync(embedded);
  await git(['init', '--quiet'], { directory: embedded });
  await commitIn({ directory: embedded }, 'lost.txt', 'lost\n');
  await commitIn(checkout, 'new.txt', 'newest\n');
  expect(await faultOf()).toEqual({
    fault: expect.stringMatching(/^"größe" is a git repository of its own/) as string,
  });
});

describe('the set-up', () => {
  test('is run in each checkout, and its failure is reported', async () => {
    repository = { ...repository, setup: 'cp list.txt ready.txt' };
    await openBranch(repository);
    const { directory } = await workspace('task-1');
    expect(fs.existsSync(path.join(directory, 'ready.txt'))).toBe(true);
    repository = { ...repository, setup: 'echo no such package; exit 3' };
    await expect(workspace('task-2')).rejects.toThrow(
      /^The set-up failed in .*task-2: .*exit 3 \(exit code 3\)\nno such package$/s,
    );
  });

  test('changes nothing of the repository: its changes and commits are reverted and recorded', async () => {
    const commits =
      'git -c user.name=s -c user.email=s@x -c commit.gpgsign=false commit --quiet --no-verify --all -m set-up';
    repository = {
      ...repository,
      setup: `echo four >> list.txt; ${commits}; echo five >> list.txt; echo new > new.txt`,
    };
    await openBranch(repository);
    const checkout = await workspace('task-1');
    expect(await git(['rev-parse', 'HEAD', checkout.branch], checkout)).toBe(`${repository.base}\n${repository.base}`);
    expect(checkout.base).toBe(repository.base);
    expect(await git(['status', '--porcelain'], checkout)).toBe('?? new.txt');
    expect(JSON.parse(fs.readFileSync(`${checkout.directory}.ready`, 'utf8'))).toEqual({
      v: 1,
      putBack: ['list.txt'],
      untracked: ['new.txt'],
      copied: [],
      ports: checkout.ports ?? 0,
    } satisfies Readiness);
  });
});

describe('an unapproved commit', () => {
  /** A state with one approved commit merged and another to be merged. */
  async function begun(): Promise<{
    head: string;
    merges: LoopMerge[];
    next: string;
    integration: { directory: string };
  }> {
    await openBranch(repository);
    const [one, two] = [await workspace('task-1'), await workspace('task-2')];
    const [approved, next] = [await commitIn(one, 'one.txt', '1\n'), await commitIn(two, 'two.txt', '2\n')];
    const first = await mergedInto(repository.base, approved);
    return { head: first.commit, merges: [first], next, integration: { directory: integrationDirectory(repository) } };
  }

  test('stops the run on any branch, and is named', async () => {
    const { head, merges, next, integration } = await begun();
    await assertDelivered(repository, merges);
    const planted = await commitIn(integration, 'planted.txt', 'planted\n');
    const named = new RegExp(
      `^The branch mailroom/feature is at ${planted}, but this run left it at ${head}\\. Nobody has reviewed what was added: ${planted} "Change planted\\.txt" by ben\\. .* git -C ${repository.directory} branch <name> ${planted}`,
    );
    for (const look of [
      () => merge(head, next),
      () => settleIntegration(repository, head),
      () => assertDelivered(repository, merges),
      () => assertHead(repository, head),
    ])
      await expect(look()).rejects.toThrow(named);
    expect(await idOf(repository.branch)).toBe(planted);
  });

  test('stops the run before its branch is created', async () => {
    await git(['branch', repository.branch, repository.base], repository);
    await expect(openBranch(repository)).rejects.toThrow('this run has not created it');
  });

  test('stops the run when the branch is moved, even back, or removed', async () => {
    const { head, next, integration } = await begun();
    const ref = `refs/heads/${repository.branch}`;
    for (const [at, said] of [
      [next, `is at ${next}, but this run left it at ${head}`],
      [repository.base, `is at ${repository.base}, but this run left it at ${head}`],
    ] as const) {
      await git(['update-ref', ref, at], integration);
      await expect(settleIntegration(repository, head)).rejects.toThrow(said);
      await expect(merge(head, next)).rejects.toThrow(said);
    }
    await git(['update-ref', '-d', ref], integration);
    await expect(settleIntegration(repository, head)).rejects.toThrow('is gone');
    await expect(merge(head, next)).rejects.toThrow('is gone');
  });

  test('stops the run when it looks like the expected merge', async () => {
    const { head, next, integration } = await begun();
    fs.writeFileSync(path.join(integration.directory, 'planted.txt'), 'planted\n');
    await git(['merge', '--quiet', '--no-ff', '--no-commit', next], integration);
    await git(['add', '--all'], integration);
    await git(['commit', '--quiet', '--message', 'Merge task'], integration);
    const planted = await idOf(repository.branch);
    expect(await git(['rev-parse', `${planted}^1`, `${planted}^2`], integration)).toBe(`${head}\n${next}`);
    await expect(merge(head, next)).rejects.toThrow(`The branch mailroom/feature is at ${planted}`);
  });

  test('is not delivered as a replacement of another commit', async () => {
    const { head, next, integration } = await begun();
    const evil = await commitIn(await workspace('task-3'), 'evil.txt', 'evil\n');
    // From now on git shows this commit in place of the approved one, unless told otherwise.
    execFileSync('git', ['replace', next, evil], { cwd: repository.directory });
    const { commit } = await mergedInto(head, next);
    expect(await git(['ls-tree', '--name-only', commit], integration)).toBe('list.txt\none.txt\ntwo.txt');
  });

  test('is not merged when it is added to the branch of a task after the approval', async () => {
    const { head, merges, next, integration } = await begun();
    const late = await commitIn(
      { directory: path.join(repository.workDirectory, 'tasks', 'task-2') },
      'two.txt',
      'late',
    );
    const second = await mergedInto(head, next);
    await assertDelivered(repository, [...merges, second]);
    expect(await git(['rev-list', second.commit], integration)).not.toContain(late);
  });

  test('is not delivered by a record that omits a merge', async () => {
    const { head, merges, next } = await begun();
    const second = await mergedInto(head, next);
    await expect(assertDelivered(repository, [second])).rejects.toThrow(`${second.commit} is not the merge of`);
    await assertDelivered(repository, [...merges, second]);
  });
});
