import { existsSync } from 'node:fs';
import { attemptGit, git, gitList, type GitOptions } from './git.ts';
import { integrationDirectory, type Repository } from './repository.ts';

const STRAY_COMMITS_NAMED_MAX = 5;

/** A merge made by the loop. */
export interface LoopMerge {
  readonly commit: string;
  /** The approved commit, its second parent. */
  readonly approved: string;
}

export function inIntegration(repository: Repository, signal: AbortSignal | undefined): GitOptions {
  return { directory: integrationDirectory(repository), signal };
}

/**
 * Throws if the delivered branch or its checkout is at another commit than the one that the run recorded: nobody has
 * reviewed what was added. The text names the commits.
 */
export async function assertHead(repository: Repository, head: string, signal?: AbortSignal): Promise<void> {
  const { branch } = repository;
  const inBranch = inIntegration(repository, signal);
  for (const name of [`refs/heads/${branch}`, 'HEAD']) {
    const at = (await attemptGit(['rev-parse', '--verify', '--quiet', `${name}^{commit}`], inBranch)).stdout;
    if (at !== head) throw new Error(await strayText(repository, { at, head, isBranch: name !== 'HEAD' }, inBranch));
  }
}

/** Checks the head, and resets its checkout to the commit, whatever was left in it. */
export async function settleIntegration(repository: Repository, head: string, signal?: AbortSignal): Promise<void> {
  await assertHead(repository, head, signal);
  const inBranch = inIntegration(repository, signal);
  await git(['symbolic-ref', 'HEAD', `refs/heads/${repository.branch}`], inBranch);
  await git(['reset', '--hard', '--quiet'], inBranch);
}

/**
 * Detaches the checkout from the branch, which then can be checked out, moved and deleted like any other. Idempotent; without the
 * checkout nothing holds the branch.
 */
export async function releaseBranch(repository: Repository, signal?: AbortSignal): Promise<void> {
  if (!existsSync(integrationDirectory(repository))) return;
  const inBranch = inIntegration(repository, signal);
  const at = await attemptGit(['rev-parse', '--verify', '--quiet', 'HEAD'], inBranch);
  if (at.exitCode === 0) await git(['update-ref', '--no-deref', 'HEAD', at.stdout], inBranch);
}

/**
 * Throws if anything on the branch was not approved. Between base and head there must be a chain of the merges that the run
 * recorded, each of the one before it and an approved commit.
 */
export async function assertDelivered(
  repository: Repository,
  merges: readonly LoopMerge[],
  signal?: AbortSignal,
): Promise<void> {
  let head = repository.base;
  for (const { commit, approved } of merges) {
    const parents = await parentsOf(commit, inIntegration(repository, signal));
    if (parents.join(' ') !== `${head} ${approved}`)
      throw new Error(
        `${commit} is not the merge of ${head} and ${approved} that this run recorded. Start a new run with --new.`,
      );
    head = commit;
  }
  await settleIntegration(repository, head, signal);
}

export async function parentsOf(commit: string, options: GitOptions): Promise<string[]> {
  const line = await git(['rev-list', '--parents', '--max-count=1', commit], options);
  return line.split(' ').slice(1);
}

async function strayText(
  { branch, directory }: Repository,
  { at, head, isBranch }: { at: string; head: string; isBranch: boolean },
  inBranch: GitOptions,
): Promise<string> {
  const what = isBranch ? `The branch ${branch}` : `The checkout ${inBranch.directory}`;
  if (at === '') return `${what} is gone; this run left it at ${head}. Start a new run with --new.`;
  const format = '--format=%H "%s" by %an';
  const limit = `--max-count=${STRAY_COMMITS_NAMED_MAX + 1}`;
  const commits = await gitList(['log', '-z', '--no-color', format, limit, `${head}..${at}`], inBranch);
  const named = commits.slice(0, STRAY_COMMITS_NAMED_MAX).join(', ');
  const more = commits.length > STRAY_COMMITS_NAMED_MAX ? ' and others' : '';
  return [
    `${what} is at ${at}, but this run left it at ${head}.`,
    ...(named === '' ? [] : [`Nobody has reviewed what was added: ${named}${more}.`]),
    `Nothing is merged or delivered on top of it. To keep it: git -C ${directory} branch <name> ${at}. Then start a new run with --new.`,
  ].join(' ');
}
