import fs from 'node:fs';
import path from 'node:path';
import { exampleRepository } from './example.ts';
import { NotStarted, type Options } from './options.ts';
import { askGit } from './preflight.ts';
import type { Run } from './run-directory.ts';

const RUNS_OF_THE_EXAMPLE = 'runs';

/** Where runs are kept. */
export interface RunsPlace {
  /** Of a new run. */
  readonly directory: string;
  /** Where a run that has not ended may lie: also that of a repository whose `.git` was deleted. */
  readonly lookedAt: readonly string[];
  /** Whether a run that lies there is of the repository that is meant. */
  readonly isFor: (run: Run) => boolean;
}

/**
 * Where the runs are kept: where `--runs` says, else beside the outermost checkout around the repository, so that no git
 * sees them. Nothing is made or refused yet.
 */
export async function runsPlace({ repo, runs }: Pick<Options, 'repo' | 'runs'>): Promise<RunsPlace> {
  if (repo === undefined) {
    const directory = path.resolve(runs ?? RUNS_OF_THE_EXAMPLE);
    return { directory, lookedAt: [directory], isFor: (run) => repositoryOf(run) === exampleRepository(run.directory) };
  }
  const asked = path.resolve(repo);
  const top = await topLevelOf(asked);
  // What was asked for, too: the top level is another one, or there is none, when its .git was deleted.
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

/** Throws NotStarted when git would see, in some checkout, what lies in this directory. */
export async function assertUnseen(directory: string): Promise<void> {
  const seenIn = await checkoutThatSees(directory);
  if (seenIn === undefined) return;
  throw new NotStarted(
    `${directory} lies in ${seenIn}, where git would see the runs. Choose a directory outside of it with --runs <directory>, or have git ignore this one.`,
  );
}

/** The directory beside the checkout with this top level: in none of that repository, and in no other that would see runs. */
async function outsideOf(top: string): Promise<string> {
  const own = await commonDirectoryOf(top);
  let outside = path.dirname(top);
  for (let around = await topLevelOf(outside); around !== undefined; around = await topLevelOf(outside)) {
    const isOwn = (await commonDirectoryOf(around)) === own;
    if (!isOwn && (await checkoutThatSees(path.join(outside, nameOf(top)))) === undefined) return outside;
    // The root of the file system has nothing beside it.
    if (path.dirname(around) === around) return outside;
    outside = path.dirname(around);
  }
  return outside;
}

/** The checkout in which git would see this path; undefined when it lies in none, or is ignored there. */
async function checkoutThatSees(directory: string): Promise<string | undefined> {
  let existing = directory;
  while (!fs.existsSync(existing)) existing = path.dirname(existing);
  const real = fs.realpathSync.native(existing);
  const top = await topLevelOf(real);
  if (top === undefined) return undefined;
  // A file in it, because a pattern may be for directories only, and there may be none yet.
  const inside = path.join(real, path.relative(existing, directory), 'run.json');
  const ignored = await askGit(['check-ignore', '--quiet', '--', inside], top);
  return ignored.exitCode === 0 ? undefined : top;
}

/** What the runs of a repository are called, beside it. */
function nameOf(repository: string): string {
  return `${path.basename(repository)}.runs`;
}

/** The top level of the checkout that this directory belongs to. */
async function topLevelOf(directory: string): Promise<string | undefined> {
  if (!fs.statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  const { exitCode, stdout } = await askGit(['rev-parse', '--show-toplevel'], directory);
  return exitCode === 0 ? stdout : undefined;
}

/** What all checkouts of one repository share. */
async function commonDirectoryOf(top: string): Promise<string> {
  const { stdout } = await askGit(['rev-parse', '--git-common-dir'], top);
  return path.resolve(top, stdout);
}
