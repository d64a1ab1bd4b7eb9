import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runShell } from '../shared/run-shell.ts';
import { attemptGit, git } from './git.ts';

/** The user's repository, and what is made in it. */
export interface Repository {
  /** Its main checkout, of which nothing is touched. */
  readonly directory: string;
  /** The commit that everything begins with. */
  readonly base: string;
  /** The branch that is delivered. */
  readonly branch: string;
  /** Where the checkouts are made, outside of the repository. */
  readonly workDirectory: string;
  /** A shell command that makes a new checkout ready for work, such as `npm ci`. */
  readonly setup?: string | undefined;
}

/** A checkout of its own, on a branch of its own. */
export interface Checkout {
  readonly directory: string;
  readonly branch: string;
  /** The commit that it began with. */
  readonly base: string;
}

export type Merge =
  | { readonly status: 'merged'; readonly commit: string; readonly diffStat: string }
  /** Nothing was changed. */
  | { readonly status: 'conflict'; readonly files: readonly string[]; readonly with: string };

/** Where what is delivered is put together. */
export function integrationDirectory({ workDirectory }: Repository): string {
  return path.join(workDirectory, 'integration');
}

/** Makes the branch that is delivered and its checkout; what is there already is taken as it is. */
export async function openBranch(repository: Repository, signal?: AbortSignal): Promise<Checkout> {
  const { branch, base } = repository;
  return openCheckout(repository, { directory: integrationDirectory(repository), branch, start: base, signal });
}

/** Makes the checkout of a task, from what is merged so far. The same name gives the same checkout. */
export async function openWorkspace(repository: Repository, name: string, signal?: AbortSignal): Promise<Checkout> {
  const { branch, workDirectory } = repository;
  const directory = path.join(workDirectory, 'tasks', name);
  return openCheckout(repository, { directory, branch: `${branch}.${name}`, start: branch, signal });
}

async function openCheckout(
  { directory: main, setup }: Repository,
  {
    directory,
    branch,
    start,
    signal,
  }: { directory: string; branch: string; start: string; signal: AbortSignal | undefined },
): Promise<Checkout> {
  const inMain = { directory: main, signal };
  const ready = `${directory}.ready`;
  if (!existsSync(ready)) {
    const isBranch =
      (await attemptGit(['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`], inMain)).exitCode === 0;
    if (!isBranch) await git(['branch', '--no-track', branch, start], inMain);
    // One that was being made when its maker was killed is made again; nobody has worked in it yet. Never `worktree prune`:
    // it forgets those of the user's that lie on a disk which is not there now.
    await attemptGit(['worktree', 'remove', '--force', '--force', directory], inMain);
    await rm(directory, { recursive: true, force: true });
    await git(['worktree', 'add', '--force', '--force', directory, branch], inMain);
    if (setup !== undefined) await makeReady(setup, directory, signal);
    await git(['update-ref', `refs/mailroom/${branch}`, branch], inMain);
    await writeFile(ready, '');
  }
  const base = await git(['rev-parse', `refs/mailroom/${branch}`], inMain);
  return { directory, branch, base };
}

async function makeReady(setup: string, directory: string, signal: AbortSignal | undefined): Promise<void> {
  const { exitCode, output } = await runShell(setup, directory, signal ?? new AbortController().signal);
  if (exitCode !== 0) {
    const how = exitCode === null ? 'it took too long' : String(exitCode);
    throw new Error(`${setup} failed in ${directory} (${how}): ${output.slice(-2_000)}`);
  }
}

/**
 * Merges a commit into the branch that is delivered. A commit that is in it already is merged, so that doing it again
 * changes nothing.
 */
export async function mergeCommit(
  repository: Repository,
  { commit, message }: { readonly commit: string; readonly message: string },
  signal?: AbortSignal,
): Promise<Merge> {
  const inBranch = { directory: integrationDirectory(repository), signal };
  // What a merge left whose process was killed.
  await attemptGit(['merge', '--abort'], inBranch);
  await git(['reset', '--hard', '--quiet', 'HEAD'], inBranch);
  const isThere = (await attemptGit(['merge-base', '--is-ancestor', commit, 'HEAD'], inBranch)).exitCode === 0;
  if (!isThere) {
    const merged = await attemptGit(['merge', '--no-ff', '--no-edit', '-m', message, commit], inBranch);
    if (merged.exitCode !== 0) {
      const files = (await git(['diff', '--name-only', '--diff-filter=U'], inBranch)).split('\n').filter(Boolean);
      const head = await git(['rev-parse', 'HEAD'], inBranch);
      await attemptGit(['merge', '--abort'], inBranch);
      await git(['reset', '--hard', '--quiet', 'HEAD'], inBranch);
      if (files.length === 0) throw new Error(`${commit} could not be merged: ${merged.all.trim().slice(0, 1_000)}`);
      return { status: 'conflict', files, with: head };
    }
  }
  const mergedAt = await mergeOf(commit, inBranch);
  const diffStat = await git(['diff', '--stat', `${mergedAt}^1`, mergedAt], inBranch);
  return { status: 'merged', commit: mergedAt, diffStat };
}

/** The merge that brought a commit into the branch. */
async function mergeOf(
  commit: string,
  inBranch: { directory: string; signal: AbortSignal | undefined },
): Promise<string> {
  const merges = await git(['rev-list', '--first-parent', '--ancestry-path', '--reverse', `${commit}..HEAD`], inBranch);
  const [first = ''] = merges.split('\n');
  return first === '' ? git(['rev-parse', 'HEAD'], inBranch) : first;
}

/** Everything that the branch has and its base has not: a line for each commit, and which files changed by how much. */
export async function describeBranch(
  repository: Repository,
  signal?: AbortSignal,
): Promise<{ readonly head: string; readonly commits: readonly string[]; readonly diffStat: string }> {
  const inBranch = { directory: integrationDirectory(repository), signal };
  const { base } = repository;
  const log = await git(['log', '--oneline', '--no-decorate', `${base}..HEAD`], inBranch);
  return {
    head: await git(['rev-parse', 'HEAD'], inBranch),
    commits: log.split('\n').filter(Boolean),
    diffStat: await git(['diff', '--stat', `${base}..HEAD`], inBranch),
  };
}

/** Whether a commit is in the repository, and on top of what its checkout began with. Undefined when all is well. */
export async function faultOfCommit(
  { directory }: Repository,
  { commit, base }: { readonly commit: string; readonly base: string },
  signal?: AbortSignal,
): Promise<string | undefined> {
  const inMain = { directory, signal };
  const found = await attemptGit(['rev-parse', '--verify', '--quiet', `${commit}^{commit}`], inMain);
  if (found.exitCode !== 0) return `there is no commit ${commit} in the repository`;
  if (found.stdout === base) return 'it is the commit that the checkout began with: nothing is committed yet';
  const isOnTop = (await attemptGit(['merge-base', '--is-ancestor', base, commit], inMain)).exitCode === 0;
  return isOnTop ? undefined : `${commit} is not on top of ${base}, with which the checkout began`;
}
