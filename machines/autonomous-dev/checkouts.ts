import { existsSync, readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cut } from 'agent-mailroom/workflow';
import { refPart } from '../shared/git-ref.ts';
import { runShell } from '../shared/run-program.ts';
import { attemptGit, git, gitList } from './git.ts';
import { copyLocalFiles } from './local-files.ts';
import { claimPorts, portEnvironment } from './ports.ts';
import {
  integrationDirectory,
  runRefs,
  taskBranch,
  tasksDirectory,
  type Checkout,
  type Repository,
} from './repository.ts';
import { checkOutSubmodules } from './submodules.ts';

/** The record next to a checkout that is ready for use, in `<directory>.ready`. */
export interface Readiness {
  readonly v: 1;
  /** Files of the repository that the set-up had changed and that were restored. */
  readonly putBack: readonly string[];
  /** Files that the set-up created and that are neither in the repository nor ignored. */
  readonly untracked: readonly string[];
  /** The user's local files that were copied. */
  readonly copied?: readonly string[];
  /** The first of its ports. */
  readonly ports?: number;
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
  let readiness = readReadiness(directory);
  if (!readiness) {
    const inMain = { directory: repository.directory, signal };
    await makeBranch(repository, place, signal);
    // A checkout whose creation was killed is created again; nobody has worked in it yet. Never `worktree prune`: it would
    // forget worktrees of the user's on an unmounted disk.
    await attemptGit(['worktree', 'remove', '--force', '--force', directory], inMain);
    await rm(directory, { recursive: true, force: true });
    await git(['worktree', 'add', '--quiet', '--force', '--force', directory, branch], inMain);
    readiness = await makeReady({ repository, directory, start }, signal);
    const ready = `${directory}.ready`;
    await writeFile(`${ready}.new`, `${JSON.stringify(readiness)}\n`);
    await rename(`${ready}.new`, ready);
  }
  const { ports } = readiness;
  return { directory, branch, base: start, ...(ports === undefined ? {} : { ports }) };
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

const SETUP_MINUTES = 15;

/**
 * Makes a new checkout like the user's own: submodules, the local files of `.worktreeinclude`, ports, then the set-up. Restores the
 * repository's files that the set-up changed, so that its changes are not taken for an author's and nothing is tested that is not
 * in the commit. Files that it added stay. Throws an Error with the tail of its output if the set-up fails.
 */
export async function makeReady(
  {
    repository: { directory: main, workDirectory, setup, setupMinutes = SETUP_MINUTES },
    directory,
    start,
  }: {
    readonly repository: Pick<Repository, 'directory' | 'workDirectory' | 'setup' | 'setupMinutes'>;
    readonly directory: string;
    readonly start: string;
  },
  signal: AbortSignal | undefined,
): Promise<Readiness> {
  await checkOutSubmodules({ main, directory }, signal);
  const copied = await copyLocalFiles({ main, directory }, signal);
  const ports = claimPorts({ workDirectory, directory });
  if (setup === undefined) return { v: 1, putBack: [], untracked: [], copied, ports };
  const ran = await runShell(
    { command: setup, cwd: directory, env: portEnvironment(ports), msMax: setupMinutes * 60_000 },
    signal,
  );
  if (ran.exitCode !== 0) {
    const how = ran.exitCode === null ? `not done after ${setupMinutes} minutes` : `exit code ${ran.exitCode}`;
    throw new Error(
      `The set-up failed in ${directory}: ${setup} (${how})\n${cut(ran.output, { charsMax: 2_000, keep: 'end' })}`,
    );
  }
  const checkout = { directory, signal };
  await git(['reset', '--quiet', start], checkout);
  await attemptGit(['update-index', '-q', '--refresh'], checkout);
  const putBack = await gitList(['diff-files', '--name-only', '-z'], checkout);
  const untracked = await gitList(['ls-files', '--others', '--exclude-standard', '--directory', '-z'], checkout);
  await git(['reset', '--hard', '--quiet'], checkout);
  return { v: 1, putBack, untracked, copied, ports };
}

/** The record of a checkout that is ready; undefined if there is none. */
export function readReadiness(directory: string): Readiness | undefined {
  const ready = `${directory}.ready`;
  return existsSync(ready) ? (JSON.parse(readFileSync(ready, 'utf8')) as Readiness) : undefined;
}
