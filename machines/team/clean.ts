import fs from 'node:fs';
import path from 'node:path';
import { attemptGit, git } from '../autonomous-dev/git.ts';
import { runRefs, taskBranches, type Repository } from '../autonomous-dev/repository.ts';
import { uncommittedIn } from './left-behind.ts';
import { hasEnded, type Run, runName } from './run-directory.ts';
import { assertNoHost } from './run-host.ts';

const HEADS = 'refs/heads/';

/** What a run has created in the repository and beside it. */
export interface Remains {
  readonly worktrees: readonly string[];
  /** Full names: its branches, and the refs that it keeps for itself. */
  readonly refs: readonly string[];
  /** What would be lost for good, one line each. */
  readonly atRisk: readonly string[];
}

/** Looks at what a run has left. Throws NotStarted while a process carries it out. */
export async function lookAtClean(run: Run): Promise<Remains> {
  assertNoHost(run.directory);
  const { repository } = run.input;
  // Its answers were paid for, and are in its directory alone.
  const unended = hasEnded(run)
    ? []
    : [`the run, which has not ended and can be resumed: mailroom team resume ${runName(run)}`];
  if (!fs.existsSync(repository.directory)) return { worktrees: [], refs: [], atRisk: unended };
  const refs = await ownRefs(repository);
  const worktrees = await ownWorktrees(run);
  return {
    worktrees,
    refs,
    atRisk: [...unended, ...(await unmerged(repository, refs)), ...(await uncommittedIn(repository))],
  };
}

/** Several lines for people: what is removed, and what would be lost. */
export function cleanText(run: Run, { worktrees, refs, atRisk }: Remains): string {
  const branches = branchesIn(refs);
  return [
    `Of the run ${runName(run)}:`,
    ...branches.map((name) => `  the branch ${name}`),
    ...(refs.length > branches.length
      ? [`  ${refs.length - branches.length} refs below ${runRefs(run.input.repository)}`]
      : []),
    ...worktrees.map((one) => `  the worktree ${one}`),
    `  the directory ${run.directory}`,
    ...(atRisk.length === 0 ? [] : ['Nowhere else:', ...atRisk.map((line) => `  ${line}`)]),
  ].join('\n');
}

/** Removes everything of a run. Idempotent. */
export async function cleanRun(run: Run, remains: Remains): Promise<void> {
  await removeFromRepository(run, remains);
  fs.rmSync(run.directory, { recursive: true, force: true });
  try {
    // The directory of the runs, after the last one.
    fs.rmdirSync(path.dirname(run.directory));
  } catch {
    // Others are in it.
  }
}

/** Removes worktrees, branches and refs of a run; its directory, with the room and the log, stays. Idempotent. */
export async function removeFromRepository(
  { input: { repository } }: Run,
  { worktrees, refs }: Remains,
): Promise<void> {
  const { directory } = repository;
  if (!fs.existsSync(directory)) return;
  for (const one of worktrees) {
    await attemptGit(['worktree', 'remove', '--force', '--force', one], { directory });
    fs.rmSync(one, { recursive: true, force: true });
  }
  // A worktree whose directory was already gone holds its branch until it is pruned; this one forgets no other.
  for (const ref of refs) await git(['update-ref', '-d', ref], { directory });
}

/** The worktrees below the run's directory. */
async function ownWorktrees({ directory, input: { repository } }: Run): Promise<string[]> {
  const listed = await git(['worktree', 'list', '--porcelain', '-z'], repository);
  const all = listed.split('\0').flatMap((line) => (line.startsWith('worktree ') ? [line.slice(9)] : []));
  const own = fs.realpathSync.native(directory);
  return all.filter((one) => {
    const from = path.relative(own, one);
    return from !== '' && from.split(path.sep)[0] !== '..' && !path.isAbsolute(from) && one !== repository.directory;
  });
}

/** The branch to deliver if this run created it, the branches of its tasks, and its own refs. */
async function ownRefs(repository: Repository): Promise<string[]> {
  const { directory, branch } = repository;
  const listed = await git(['for-each-ref', '--format=%(refname)'], { directory });
  const all = listed.split('\n').filter(Boolean);
  const isCreated = all.includes(`${runRefs(repository)}integration`);
  return all.filter(
    (ref) =>
      (isCreated && ref === `refs/heads/${branch}`) ||
      ref.startsWith(`refs/heads/${taskBranches(repository)}`) ||
      ref.startsWith(runRefs(repository)),
  );
}

/** The branches with commits that no branch, tag or remote of the user has. A task's are in the delivered branch, if they were merged. */
async function unmerged(repository: Repository, refs: readonly string[]): Promise<string[]> {
  const { directory, branch } = repository;
  const branches = branchesIn(refs);
  const tasks = branches.filter((name) => name !== branch);
  const lines: string[] = [];
  for (const name of branches) {
    // Before --branches, git takes names without refs/heads/; a task's commits may be in the delivered branch.
    const excluded = (name === branch ? branches : tasks).map((one) => `--exclude=${one}`);
    const words = [
      'rev-list',
      '--count',
      `refs/heads/${name}`,
      '--not',
      ...excluded,
      '--branches',
      '--remotes',
      '--tags',
    ];
    const count = await git(words, { directory });
    if (count !== '0') lines.push(`${count === '1' ? '1 commit' : `${count} commits`} on ${name}`);
  }
  return lines;
}

function branchesIn(refs: readonly string[]): string[] {
  return refs.flatMap((ref) => (ref.startsWith(HEADS) ? [ref.slice(HEADS.length)] : []));
}
