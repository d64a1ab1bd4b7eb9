import { existsSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cut } from 'agent-mailroom/workflow';
import { refPart } from '../shared/git-ref.ts';
import { runShell } from '../shared/run-program.ts';
import { attemptGit, git, gitList } from './git.ts';
import {
  integrationDirectory,
  runRefs,
  taskBranch,
  tasksDirectory,
  type Checkout,
  type Repository,
} from './repository.ts';

/** The record next to a checkout that is ready for use, in `<directory>.ready`. */
export interface Readiness {
  readonly v: 1;
  /** Files of the repository that the set-up had changed and that were restored. */
  readonly putBack: readonly string[];
  /** Files that the set-up created and that are neither in the repository nor ignored. */
  readonly untracked: readonly string[];
}

interface CheckoutPlace {
  readonly directory: string;
  readonly branch: string;
  /** The ref that marks the branch as created by this run. */
  readonly mark: string;
  readonly start: string;
}

/** The old value for `git update-ref` of a ref that must not exist yet. */
const NOTHING = '';

/** Creates the branch to be delivered and its checkout. Idempotent. */
export async function openBranch(repository: Repository, signal?: AbortSignal): Promise<Checkout> {
  const { branch, base } = repository;
  const directory = integrationDirectory(repository);
  const mark = `${runRefs(repository)}integration`;
  return openCheckout(repository, { directory, branch, mark, start: base }, signal);
}

/** Creates the checkout of a task, from what is merged so far. Idempotent: the same name gives the same checkout. */
export async function openWorkspace(
  repository: Repository,
  { name, start }: { readonly name: string; readonly start: string },
  signal?: AbortSignal,
): Promise<Checkout> {
  const directory = path.join(tasksDirectory(repository), name);
  const mark = `${runRefs(repository)}tasks/${refPart(name)}`;
  return openCheckout(repository, { directory, branch: taskBranch(repository, name), mark, start }, signal);
}

async function openCheckout(
  repository: Repository,
  place: CheckoutPlace,
  signal: AbortSignal | undefined,
): Promise<Checkout> {
  const { directory, branch, start } = place;
  const ready = `${directory}.ready`;
  if (!existsSync(ready)) {
    const inMain = { directory: repository.directory, signal };
    await makeBranch(repository, place, signal);
    // A checkout whose creation was killed is created again; nobody has worked in it yet. Never `worktree prune`: it would
    // forget worktrees of the user's on an unmounted disk.
    await attemptGit(['worktree', 'remove', '--force', '--force', directory], inMain);
    await rm(directory, { recursive: true, force: true });
    await git(['worktree', 'add', '--quiet', '--force', '--force', directory, branch], inMain);
    const { setup } = repository;
    const readiness = await makeReady({ directory, setup, start }, signal);
    await writeFile(`${ready}.new`, `${JSON.stringify(readiness)}\n`);
    await rename(`${ready}.new`, ready);
  }
  return { directory, branch, base: start };
}

/** Creates the branch at its start. Throws if a branch of that name exists that this run has not created. */
async function makeBranch(
  { directory }: Repository,
  { branch, mark, start }: CheckoutPlace,
  signal: AbortSignal | undefined,
): Promise<void> {
  const inMain = { directory, signal };
  const idOf = async (ref: string): Promise<string> =>
    (await attemptGit(['rev-parse', '--verify', '--quiet', ref], inMain)).stdout;
  const ref = `refs/heads/${branch}`;
  const found = await idOf(ref);
  const isOwn = (await idOf(mark)) === start;
  if (found !== '' && !isOwn) {
    throw new Error(
      `The branch ${branch} already exists, at ${found}, and this run has not created it. Rename it (git branch -m ${branch} <new name>) and start again.`,
    );
  }
  if (!isOwn) await git(['update-ref', mark, start, NOTHING], inMain);
  if (found !== start) await git(['update-ref', ref, start, found], inMain);
}

/**
 * Runs the set-up in a new checkout and restores the repository's files that it changed, so that its changes are not taken
 * for an author's and nothing is tested that is not in the commit. Files that it added stay.
 */
export async function makeReady(
  {
    directory,
    setup,
    start,
  }: { readonly directory: string; readonly setup: string | undefined; readonly start: string },
  signal: AbortSignal | undefined,
): Promise<Readiness> {
  if (setup === undefined) return { v: 1, putBack: [], untracked: [] };
  const { exitCode, output } = await runShell(setup, directory, signal ?? new AbortController().signal);
  if (exitCode !== 0) {
    const how = exitCode === null ? 'timeout' : String(exitCode);
    throw new Error(`${setup} failed in ${directory} (${how}): ${cut(output, { charsMax: 2_000, keep: 'end' })}`);
  }
  const checkout = { directory, signal };
  await git(['reset', '--quiet', start], checkout);
  await attemptGit(['update-index', '-q', '--refresh'], checkout);
  const putBack = await gitList(['diff-files', '--name-only', '-z'], checkout);
  const untracked = await gitList(['ls-files', '--others', '--exclude-standard', '--directory', '-z'], checkout);
  await git(['reset', '--hard', '--quiet'], checkout);
  return { v: 1, putBack, untracked };
}
