import fs from 'node:fs';
import path from 'node:path';
import { runGh } from '../autonomous-dev/publish.ts';
import { attemptGit } from '../autonomous-dev/git.ts';
import { shellWord } from '../shared/shell-word.ts';
import { echo } from '../shared/text.ts';
import { featureSlug, hasRoomUnder } from '../shared/git-ref.ts';
import { findCommands } from './find-commands.ts';
import { NotStarted } from './options.ts';
import { TEAM_FILE } from './team-file.ts';

/** A repository in which a run can start. */
export interface Ground {
  /** Its main checkout. */
  readonly directory: string;
  readonly base: string;
  readonly testCommand: string;
  /** Undefined for none. */
  readonly setup: string | undefined;
  readonly branch: string;
}

/** The top level of the checkout at a path. Throws NotStarted with one line that says why there is none. */
export async function checkoutAt(repo: string): Promise<string> {
  const asked = path.resolve(repo);
  if (!fs.statSync(asked, { throwIfNoEntry: false })?.isDirectory())
    throw new NotStarted(`There is no directory ${asked}.`);
  const inside = await askGit(['rev-parse', '--show-toplevel'], asked);
  if (inside.exitCode !== 0) throw new NotStarted(await whyNoCheckout(asked, inside.all));
  return inside.stdout;
}

/**
 * Checks that a run can start in the checkout with this top level. Throws NotStarted with one line that says what is missing; nothing
 * is changed.
 */
export async function lookAtRepository(
  directory: string,
  {
    feature,
    test,
    setup,
    branch,
    run: id,
    promised = [],
  }: {
    feature: string;
    test: string | undefined;
    setup: string | null | undefined;
    branch: string | undefined;
    run: string;
    /** The branches of runs that have not ended, whether or not they exist yet. */
    promised?: readonly string[];
  },
): Promise<Ground> {
  const head = await askGit(['rev-parse', '--verify', '--quiet', 'HEAD'], directory);
  if (head.exitCode !== 0) throw new NotStarted(`${directory} has no commit yet. Commit something and start again.`);
  await assertNothingUnderWay(directory);
  await assertWritable(directory);
  // The file of the team is meant to be committed, but is read where it lies.
  const changed = await askGit(['status', '--porcelain', '--', ':/', `:(top,exclude)${TEAM_FILE}`], directory);
  if (changed.stdout !== '') {
    const files = changed.stdout.split('\n').length;
    throw new NotStarted(
      `${directory} has ${files} uncommitted changes, which the agents would not see. Commit or stash them and start again.`,
    );
  }
  const name = branch ?? (await freeName(`mailroom/${featureSlug(feature)}`, { directory, id, promised }));
  if (promised.includes(name))
    throw new NotStarted(
      `Another run that has not ended delivers ${echo(name)}. Choose another branch with --branch, or resume that run.`,
    );
  const valid = await askGit(['check-ref-format', '--branch', name], directory);
  if (valid.exitCode !== 0) throw new NotStarted(`${echo(name)} is no valid branch name. Choose one with --branch.`);
  if (!hasRoomUnder(name))
    throw new NotStarted(
      `${echo(name)} is too long: the branches of the tasks extend it. Choose a shorter one with --branch.`,
    );
  await assertNameIsFree(name, directory);
  const found = findCommands(directory, { needsTest: test === undefined });
  const testCommand = test ?? found.test;
  if (testCommand === undefined)
    throw new NotStarted(
      `No test command was found in ${directory}. Pass the command that runs its tests: --test '<command>'.`,
    );
  return {
    directory,
    base: head.stdout,
    testCommand,
    setup: setup === null ? undefined : (setup ?? found.setup),
    branch: name,
  };
}

/** The name, with the id of the run appended if the name is taken. */
async function freeName(
  name: string,
  { directory, id, promised }: { directory: string; id: string; promised: readonly string[] },
): Promise<string> {
  const isFree = !promised.includes(name) && (await branchInTheWay(name, directory)) === undefined;
  return isFree ? name : `${name}-${id}`;
}

/** Why git finds no checkout in a directory, in one line with the next step. `output` is what git printed. */
async function whyNoCheckout(asked: string, output: string): Promise<string> {
  const isTrue = async (question: string): Promise<boolean> =>
    (await askGit(['rev-parse', question], asked)).stdout === 'true';
  if (await isTrue('--is-bare-repository'))
    return `${asked} is a bare repository, which has no files to work on. Clone it (git clone ${shellWord(asked)} <directory>) and start again with the clone.`;
  if (await isTrue('--is-inside-git-dir'))
    return `${asked} is inside git's own directory. Start again with the checkout that it belongs to.`;
  if (output.includes('not a git repository'))
    return `${asked} is no git repository. Make it one (git init, and a first commit) and start again.`;
  return `git refuses ${asked}: ${output.trim().replaceAll(/\s+/g, ' ')}`;
}

/** The files by which git marks an unfinished operation. */
const UNDER_WAY = {
  'rebase-merge': 'rebase',
  'rebase-apply': 'rebase',
  MERGE_HEAD: 'merge',
  CHERRY_PICK_HEAD: 'cherry-pick',
  REVERT_HEAD: 'revert',
  BISECT_LOG: 'bisect',
} as const;

/** Throws NotStarted during an unfinished operation: nobody means to build on the commit that is checked out then. */
async function assertNothingUnderWay(directory: string): Promise<void> {
  const notes = Object.keys(UNDER_WAY).flatMap((file) => ['--git-path', file]);
  const paths = (await askGit(['rev-parse', ...notes], directory)).stdout.split('\n');
  for (const [at, name] of Object.values(UNDER_WAY).entries()) {
    if (!fs.existsSync(path.resolve(directory, paths[at] ?? ''))) continue;
    const end = name === 'bisect' ? 'Finish it (git bisect reset)' : `Finish it, or abort it (git ${name} --abort),`;
    throw new NotStarted(`${directory} is in the middle of a ${name}. ${end} and start again.`);
  }
}

/** Throws NotStarted if branches and commits cannot be written. */
async function assertWritable(directory: string): Promise<void> {
  const common = path.resolve(directory, (await askGit(['rev-parse', '--git-common-dir'], directory)).stdout);
  for (const place of [common, path.join(common, 'objects'), path.join(common, 'refs')]) {
    try {
      fs.accessSync(place, fs.constants.W_OK);
    } catch (error) {
      throw new NotStarted(
        `${place} cannot be written (${(error as NodeJS.ErrnoException).code}), so no branch can be created. Change its permissions or its owner and start again.`,
      );
    }
  }
}

async function assertNameIsFree(name: string, directory: string): Promise<void> {
  const taken = await branchInTheWay(name, directory);
  if (taken === undefined) return;
  if (taken === name)
    throw new NotStarted(`The branch ${name} already exists. Delete it, or choose another one with --branch.`);
  throw new NotStarted(
    `The branch ${taken} excludes ${name}: git keeps branches like files, and one cannot be inside the other. Rename it, or choose another name with --branch.`,
  );
}

/** The branch of this name, or one that excludes it: git keeps branches like files, so `a` and `a/b` exclude each other. */
async function branchInTheWay(name: string, directory: string): Promise<string | undefined> {
  const parts = name.split('/');
  const above = parts.map((_, at) => parts.slice(0, at + 1).join('/'));
  const refs = above.map((one) => `refs/heads/${one}`);
  const { stdout } = await askGit(['for-each-ref', '--format=%(refname)', ...refs], directory);
  const existing = stdout.split('\n').map(withoutPrefix);
  return existing.find((one) => one !== undefined && (above.includes(one) || one.startsWith(`${name}/`)));
}

/**
 * The target of a pull request: the upstream of the branch that the user is on. Throws NotStarted with one line that says what
 * is missing; nothing is changed.
 */
export async function lookAtUpstream(directory: string): Promise<{ readonly remote: string; readonly base: string }> {
  await assertGh(directory);
  const head = await askGit(['symbolic-ref', '--quiet', 'HEAD'], directory);
  if (head.exitCode !== 0)
    throw new NotStarted(
      `${directory} is on no branch. Check out the branch that the pull request is for and start again.`,
    );
  const branch = withoutPrefix(head.stdout) ?? head.stdout;
  const upstream = await askGit(['rev-parse', '--abbrev-ref', '--symbolic-full-name', '@{upstream}'], directory);
  const remote = await askGit(['config', '--get', `branch.${branch}.remote`], directory);
  const merge = await askGit(['config', '--get', `branch.${branch}.merge`], directory);
  const base = withoutPrefix(merge.stdout);
  // A dot means this repository.
  if (upstream.exitCode !== 0 || remote.stdout === '.' || base === undefined)
    throw new NotStarted(
      `The branch ${branch} has no upstream on a remote. Set the one that the pull request is for (git branch --set-upstream-to <remote>/<branch>) and start again.`,
    );
  const ahead = await askGit(['rev-list', '--count', '@{upstream}..HEAD'], directory);
  if (ahead.stdout !== '0')
    throw new NotStarted(
      `The branch ${branch} has commits that ${upstream.stdout} does not have (${ahead.stdout}), and they would be in the pull request. Push them (git push) and start again.`,
    );
  return { remote: remote.stdout, base };
}

async function assertGh(directory: string): Promise<void> {
  const ran = await runGh(['auth', 'status'], { directory }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new NotStarted(
        '--pull-request: gh was not found on the PATH. Install it (https://cli.github.com) and start again.',
      );
    throw new NotStarted(`--pull-request: gh could not be run: ${(error as Error).message}`);
  });
  if (ran.exitCode === null)
    throw new NotStarted(
      '--pull-request: gh auth status did not finish. Run it to see what it waits for, and start again.',
    );
  if (ran.exitCode !== 0)
    throw new NotStarted(
      '--pull-request: gh is not logged in (gh auth status fails). Run gh auth login and start again.',
    );
}

function withoutPrefix(ref: string): string | undefined {
  return /^refs\/heads\/(.+)$/.exec(ref)?.[1];
}

/** Runs git for a check. Throws NotStarted if there is no git. */
export async function askGit(
  args: readonly string[],
  directory: string,
): Promise<{ exitCode: number | undefined; stdout: string; all: string }> {
  try {
    const ran = await attemptGit(args, { directory });
    if (ran.exitCode === undefined) throw new NotStarted('git was not found. Install it and start again.');
    return ran;
  } catch (error) {
    if (error instanceof NotStarted) throw error;
    throw new NotStarted(`git could not be run: ${(error as Error).message}`);
  }
}
