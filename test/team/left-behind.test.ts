import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBranch, openWorkspace } from '../../machines/autonomous-dev/checkouts.ts';
import { git } from '../../machines/autonomous-dev/git.ts';
import { mergeCommit } from '../../machines/autonomous-dev/merge.ts';
import { leftBehindText, noteBefore } from '../../machines/team/left-behind.ts';
import type { Run } from '../../machines/team/run-directory.ts';
import { GitWithGh } from './git-with-gh.ts';

let ground: GitWithGh;
let run: Run;
beforeEach(async () => {
  ground = new GitWithGh();
  await ground.begin();
  const directory = path.join(ground.outer, 'run');
  fs.mkdirSync(directory);
  const repository = {
    directory: ground.directory,
    base: await ground.git('rev-parse', 'HEAD'),
    branch: 'mailroom/pay',
    run: 'pay1',
    workDirectory: directory,
    setup: 'echo set up >> package.json; echo module > installed.txt',
  };
  const input = { feature: 'Pay', repository, testCommand: 'true', agents: ['a', 'b'] };
  run = { v: 2, name: 'pay', directory, agents: [], inTmux: false, input };
});
afterEach(() => ground[Symbol.dispose]());

/** The listed lines, without the directory of the test and the ids. */
async function listed(): Promise<string[]> {
  const text = (await leftBehindText(run)).replaceAll(ground.outer, '').replaceAll(/\b[0-9a-f]{10}\b/g, '<id>');
  const [blank, title, ...lines] = text.split('\n');
  expect([blank, title]).toEqual(['', 'Left behind:']);
  return lines.map((line) => line.trim());
}

test('lists what was created during a run, and not what existed before', async () => {
  const { repository } = run.input;
  await ground.git('branch', 'moved');
  await ground.git('branch', 'removed');
  await ground.git('tag', 'kept');
  fs.writeFileSync(path.join(ground.directory, 'package.json'), '{}\n');
  await ground.git('stash', '--quiet');
  await ground.git('worktree', 'add', '--quiet', '-b', 'mine', path.join(ground.outer, 'mine'));
  await noteBefore(run);

  await openBranch(repository);
  const taken = await openWorkspace(repository, { name: 'taken-1', start: repository.base });
  const lost = await openWorkspace(repository, { name: 'lost-1', start: repository.base });
  for (const { directory } of [taken, lost])
    await git(['commit', '--quiet', '--allow-empty', '--message', `Work in ${directory}`], { directory });
  const commit = await git(['rev-parse', 'HEAD'], taken);
  await mergeCommit(repository, { head: repository.base, commit, message: 'Merge' });
  expect(await listed()).toEqual([
    'the branch mailroom/pay.pay1.lost-1: 1 commit not delivered',
    'changes by the set-up, restored: "package.json"',
    'of the run itself: the branches mailroom/pay.pay1.* (2), and worktrees below /run (3)',
  ]);

  fs.writeFileSync(path.join(lost.directory, 'größe.txt'), 'never committed\n');
  fs.mkdirSync(path.join(lost.directory, 'vendor'));
  await git(['init', '--quiet', '--template='], { directory: path.join(lost.directory, 'vendor') });
  await git(['branch', '--force', 'moved', commit], { directory: taken.directory });
  await git(['branch', 'made'], { directory: taken.directory });
  await git(['branch', '--delete', '--force', 'removed'], { directory: taken.directory });
  await git(['tag', 'v1'], { directory: taken.directory });
  await git(['worktree', 'add', '--quiet', '--detach', path.join(run.directory, 'tasks', 'taken-1', 'extra')], taken);
  fs.writeFileSync(path.join(taken.directory, 'package.json'), 'stashed\n');
  await git(['stash', '--quiet'], taken);
  expect(await listed()).toEqual([
    'the branch made at <id>, made during the run',
    'the branch mailroom/pay.pay1.lost-1: 1 commit not delivered',
    'the branch moved, moved during the run from <id> to <id>',
    'the tag v1 at <id>, made during the run',
    'refs/heads/removed, which was at <id>, was removed during the run',
    'the worktree /run/tasks/taken-1/extra, made during the run',
    'a stash (git stash list)',
    'not committed in /run/tasks/lost-1: "größe.txt", "vendor/" (a repository of its own)',
    'not committed in /run/tasks/taken-1: "extra/" (a repository of its own)',
    'changes by the set-up, restored: "package.json"',
    'of the run itself: the branches mailroom/pay.pay1.* (2), and worktrees below /run (3)',
  ]);
}, 60_000);

test('prints nothing if nothing is left, and the reason if it cannot list', async () => {
  await noteBefore(run);
  expect(await leftBehindText(run)).toBe('');
  fs.rmSync(path.join(ground.directory, '.git'), { recursive: true });
  expect((await listed())[0]).toMatch(/^it could not be listed: git for-each-ref .* failed/);
});
