import { rm } from 'node:fs/promises';
import path from 'node:path';
import { cut } from 'agent-mailroom/workflow';
import { attemptGit, DIFF_OPTIONS, git, gitList } from './git.ts';
import { assertHead, inIntegration, parentsOf, settleIntegration } from './integration.ts';
import type { Repository } from './repository.ts';

/** `merge-tree --write-tree` needs git 2.38; older versions report a usage error. */
const EXIT_USAGE = 129;
const EXIT_CONFLICT = 1;

export type Merge =
  | { readonly status: 'merged'; readonly commit: string; readonly diffStat: string }
  /** Branch and checkout are unchanged. */
  | { readonly status: 'conflict'; readonly files: readonly string[]; readonly with: string };

/** The result of a merge that git makes without help: a tree, or the conflicting files. */
type Automatic = { readonly tree: string } | { readonly files: readonly string[] };

interface Sides {
  /** The commit of the branch. */
  readonly head: string;
  readonly commit: string;
}

/**
 * Merges an approved commit into the delivered branch, which must be at `head`. Idempotent: after a kill it finds the merge
 * that it has made. Throws if the branch is anywhere else.
 */
export async function mergeCommit(
  repository: Repository,
  { head, commit, message }: Sides & { readonly message: string },
  signal?: AbortSignal,
): Promise<Merge> {
  const sides = { head, commit };
  const inBranch = inIntegration(repository, signal);
  const ref = `refs/heads/${repository.branch}`;
  const at = (await attemptGit(['rev-parse', '--verify', '--quiet', ref], inBranch)).stdout;
  if (at !== '' && at !== head && (await isAutomaticMerge(repository, { at, ...sides }, signal))) {
    return merged(repository, { head, commit: at }, signal);
  }
  await settleIntegration(repository, head, signal);
  const isThere = (await attemptGit(['merge-base', '--is-ancestor', commit, head], inBranch)).exitCode === 0;
  if (isThere) return { status: 'merged', commit: head, diffStat: '' };
  const automatic = await automaticMerge(repository, sides, { signal });
  if ('files' in automatic) return { status: 'conflict', files: automatic.files, with: head };
  const made = await git(['commit-tree', automatic.tree, '-p', head, '-p', commit, '-m', message], inBranch);
  // At this update the commit is merged, unless the branch was moved meanwhile.
  const updated = await attemptGit(['update-ref', '-m', `merge ${commit}`, ref, made, head], inBranch);
  if (updated.exitCode !== 0) {
    await assertHead(repository, head, signal);
    throw new Error(`${ref} could not be updated: ${updated.all.trim()}`);
  }
  return merged(repository, { head, commit: made }, signal);
}

async function merged(
  repository: Repository,
  { head, commit }: Sides,
  signal: AbortSignal | undefined,
): Promise<Merge> {
  await settleIntegration(repository, commit, signal);
  const stat = ['diff-tree', '--stat', ...DIFF_OPTIONS, head, commit];
  return { status: 'merged', commit, diffStat: await git(stat, inIntegration(repository, signal)) };
}

/** Whether a commit is the merge that this run would have made of the two sides. */
async function isAutomaticMerge(
  repository: Repository,
  { at, head, commit }: Sides & { readonly at: string },
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const inBranch = inIntegration(repository, signal);
  if ((await parentsOf(at, inBranch)).join(' ') !== `${head} ${commit}`) return false;
  // The checkout must be as before the merge, because a merge depends on the attributes in it.
  await git(['checkout', '--quiet', '--force', '--detach', head], inBranch);
  const automatic = await automaticMerge(repository, { head, commit }, { signal });
  await git(['checkout', '--quiet', '--force', '--detach', at], inBranch);
  return 'tree' in automatic && automatic.tree === (await git(['rev-parse', `${at}^{tree}`], inBranch));
}

/** Merges two commits without touching any ref or checkout. */
export async function automaticMerge(
  repository: Repository,
  { head, commit }: Sides,
  { signal, hasMergeTree = true }: { signal?: AbortSignal | undefined; hasMergeTree?: boolean } = {},
): Promise<Automatic> {
  if (!hasMergeTree) return mergeInScratch(repository, { head, commit }, signal);
  const words = ['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', head, commit];
  const { exitCode, stdout, all } = await attemptGit(words, inIntegration(repository, signal));
  if (exitCode === EXIT_USAGE) return mergeInScratch(repository, { head, commit }, signal);
  const [tree = '', ...files] = stdout.split('\0').filter(Boolean);
  if (exitCode === 0 && tree !== '') return { tree };
  if (exitCode === EXIT_CONFLICT && files.length > 0) return { files: [...new Set(files)] };
  throw new Error(`${commit} could not be merged: ${cut(all.trim(), { charsMax: 1_000 })}`);
}

/** The same for a git that can only merge in a checkout. */
async function mergeInScratch(
  { directory: main, workDirectory }: Repository,
  { head, commit }: Sides,
  signal: AbortSignal | undefined,
): Promise<Automatic> {
  const directory = path.join(workDirectory, 'merge');
  const [inMain, inScratch] = [main, directory].map((one) => ({ directory: one, signal })) as [Scratch, Scratch];
  const remove = async (): Promise<void> => {
    await attemptGit(['worktree', 'remove', '--force', '--force', directory], inMain);
    await rm(directory, { recursive: true, force: true });
  };
  await remove();
  await git(['worktree', 'add', '--quiet', '--force', '--detach', directory, head], inMain);
  try {
    const words = ['merge', '--no-commit', '--no-ff', '--no-verify-signatures', '--no-stat', commit];
    const { exitCode, all } = await attemptGit(words, inScratch);
    if (exitCode === 0) return { tree: await git(['write-tree'], inScratch) };
    const files = await gitList(['diff', '--no-ext-diff', '--name-only', '--diff-filter=U', '-z'], inScratch);
    if (files.length > 0) return { files };
    throw new Error(`${commit} could not be merged: ${cut(all.trim(), { charsMax: 1_000 })}`);
  } finally {
    await remove();
  }
}

interface Scratch {
  readonly directory: string;
  readonly signal: AbortSignal | undefined;
}

/** What the branch adds to its base: one line per commit, and the changed files with their sizes. */
export async function describeBranch(
  repository: Repository,
  head: string,
  signal?: AbortSignal,
): Promise<{ readonly commits: readonly string[]; readonly diffStat: string }> {
  const inBranch = inIntegration(repository, signal);
  const { base } = repository;
  return {
    commits: await gitList(['log', '-z', '--topo-order', '--no-color', '--format=%h %s', `${base}..${head}`], inBranch),
    diffStat: await git(['diff-tree', '--stat', ...DIFF_OPTIONS, base, head], inBranch),
  };
}
