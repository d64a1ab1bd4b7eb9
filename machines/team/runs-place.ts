import fs from 'node:fs';
import path from 'node:path';
import { isExampleRun } from './example.ts';
import { NotStarted, type Options } from './options.ts';
import { askGit } from './preflight.ts';
import type { Run } from './run-directory.ts';

const RUNS_OF_THE_EXAMPLE = 'runs';

/** Where runs are kept. */
export interface RunsPlace {
  /** For a new run. */
  readonly directory: string;
  /** Where an unended run may be, including one of a repository whose `.git` was deleted. */
  readonly lookedAt: readonly string[];
  /** Whether a run found there belongs to the given repository. */
  readonly isFor: (run: Run) => boolean;
}

/**
 * Where the runs are kept: in `--runs`, or next to the outermost checkout around the repository, so that no git sees them.
 * Nothing is created or refused yet.
 */
export async function runsPlace({ repo, runs }: Pick<Options, 'repo' | 'runs'>): Promise<RunsPlace> {
  if (repo === undefined) {
    const directory = path.resolve(runs ?? RUNS_OF_THE_EXAMPLE);
    return { directory, lookedAt: [directory], isFor: isExampleRun };
  }
  const asked = path.resolve(repo);
  const top = await topLevelOf(asked);
  // The given path counts, too: if its .git was deleted, the top level is another one, or there is none.
  const names = [asked, fs.existsSync(asked) ? fs.realpathSync.native(asked) : asked, top];
  const isFor = (run: Run): boolean => names.includes(repositoryOf(run));
  if (runs !== undefined) return { directory: path.resolve(runs), lookedAt: [path.resolve(runs)], isFor };
  const outside = top === undefined ? path.dirname(asked) : await outsideOf(top);
  const [directory, ...others] = [top ?? asked, asked].map((one) => path.join(outside, nameOf(one)));
  const beside = path.join(path.dirname(asked), nameOf(asked));
  return { directory: directory ?? beside, lookedAt: [...new Set([directory ?? beside, ...others, beside])], isFor };
}

function repositoryOf({ input }: Run): string {
  return input.repository.directory;
}

/** Throws NotStarted if git would see the contents of this directory in some checkout. */
export async function assertUnseen(directory: string): Promise<void> {
  const seenIn = await checkoutThatSees(directory);
  if (seenIn === undefined) return;
  throw new NotStarted(
    `${directory} is inside ${seenIn}, where git would see the runs. Choose a directory outside of it with --runs <directory>, or have git ignore this one.`,
  );
}

/** The directory around the checkout with this top level that is in no checkout of its repository, and in no other that would see runs. */
async function outsideOf(top: string): Promise<string> {
  const own = await commonDirectoryOf(top);
  let outside = path.dirname(top);
  for (let around = await topLevelOf(outside); around !== undefined; around = await topLevelOf(outside)) {
    const isOwn = (await commonDirectoryOf(around)) === own;
    if (!isOwn && (await checkoutThatSees(path.join(outside, nameOf(top)))) === undefined) return outside;
    // Nothing is outside of the root of the file system.
    if (path.dirname(around) === around) return outside;
    outside = path.dirname(around);
  }
  return outside;
}

/** The checkout in which git would see this path; undefined if it is in none, or ignored there. */
async function checkoutThatSees(directory: string): Promise<string | undefined> {
  let existing = directory;
  while (!fs.existsSync(existing)) existing = path.dirname(existing);
  const real = fs.realpathSync.native(existing);
  const top = await topLevelOf(real);
  if (top === undefined) return undefined;
  // Asked for a file inside, because a pattern may match directories only, and the directory may not exist yet.
  const inside = path.join(real, path.relative(existing, directory), 'run.json');
  const ignored = await askGit(['check-ignore', '--quiet', '--', inside], top);
  return ignored.exitCode === 0 ? undefined : top;
}

/** The name of the directory for the runs of a repository. */
function nameOf(repository: string): string {
  return `${path.basename(repository)}.runs`;
}

/** The top level of the checkout that this directory belongs to. */
async function topLevelOf(directory: string): Promise<string | undefined> {
  if (!fs.statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  const { exitCode, stdout } = await askGit(['rev-parse', '--show-toplevel'], directory);
  return exitCode === 0 ? stdout : undefined;
}

/** The git directory that all checkouts of one repository share. */
async function commonDirectoryOf(top: string): Promise<string> {
  const { stdout } = await askGit(['rev-parse', '--git-common-dir'], top);
  return path.resolve(top, stdout);
}
