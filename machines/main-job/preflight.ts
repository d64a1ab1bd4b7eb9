import fs from 'node:fs';
import path from 'node:path';
import { runGh } from '../autonomous-dev/gh.ts';
import { attemptGit } from '../autonomous-dev/git.ts';
import { NotStarted } from './options.ts';

/** What is known of a repository that can be worked in. */
export interface Ground {
  /** Its main checkout. */
  readonly directory: string;
  readonly base: string;
  readonly testCommand: string;
  readonly branch: string;
}

const SLUG_CHARS_MAX = 40;

/** Looks whether it can begin. Throws NotStarted, with one line that says what is missing; nothing is changed. */
export async function lookAtRepository(
  repo: string,
  {
    feature,
    test,
    branch,
    run: id,
  }: { feature: string; test: string | undefined; branch: string | undefined; run: string },
): Promise<Ground> {
  const asked = path.resolve(repo);
  if (!fs.existsSync(asked)) throw new NotStarted(`There is no directory ${asked}.`);
  const inside = await run(['rev-parse', '--show-toplevel'], asked);
  if (inside.exitCode !== 0)
    throw new NotStarted(`${asked} is no git repository. Make it one (git init, and a first commit) and start again.`);
  const directory = inside.stdout;
  const head = await run(['rev-parse', '--verify', '--quiet', 'HEAD'], directory);
  if (head.exitCode !== 0) throw new NotStarted(`${directory} has no commit yet. Commit something and start again.`);
  const changed = await run(['status', '--porcelain'], directory);
  if (changed.stdout !== '') {
    const files = changed.stdout.split('\n').length;
    throw new NotStarted(
      `${directory} has ${files} uncommitted changes, which nobody would see. Commit or stash them and start again.`,
    );
  }
  const name = branch ?? (await freeName(`mailroom/${slugOf(feature)}`, { directory, id }));
  const valid = await run(['check-ref-format', '--branch', name], directory);
  if (valid.exitCode !== 0)
    throw new NotStarted(`${JSON.stringify(name)} is no name for a branch. Choose one with --branch.`);
  const taken = await run(['rev-parse', '--verify', '--quiet', `refs/heads/${name}`], directory);
  if (taken.exitCode === 0)
    throw new NotStarted(`The branch ${name} is there already. Delete it, or choose another one with --branch.`);
  return { directory, base: head.stdout, testCommand: test ?? testCommandOf(directory), branch: name };
}

/** The name, or with the id of the run where an earlier run, or somebody else, has the name already. */
async function freeName(name: string, { directory, id }: { directory: string; id: string }): Promise<string> {
  const taken = await run(['rev-parse', '--verify', '--quiet', `refs/heads/${name}`], directory);
  return taken.exitCode === 0 ? `${name}-${id}` : name;
}

/**
 * Where a pull request goes that is for the branch which the user is on: what that branch follows. Throws NotStarted, with
 * one line that says what is missing; nothing is changed.
 */
export async function lookAtUpstream(directory: string): Promise<{ readonly remote: string; readonly base: string }> {
  await assertGh(directory);
  const head = await run(['symbolic-ref', '--quiet', 'HEAD'], directory);
  if (head.exitCode !== 0)
    throw new NotStarted(
      `${directory} is on no branch. Check out the one that the pull request is for and start again.`,
    );
  const branch = withoutPrefix(head.stdout) ?? head.stdout;
  const upstream = await run(['rev-parse', '--abbrev-ref', '--symbolic-full-name', '@{upstream}'], directory);
  const remote = await run(['config', '--get', `branch.${branch}.remote`], directory);
  const merge = await run(['config', '--get', `branch.${branch}.merge`], directory);
  const base = withoutPrefix(merge.stdout);
  // A dot stands for this repository.
  if (upstream.exitCode !== 0 || remote.stdout === '.' || base === undefined)
    throw new NotStarted(
      `The branch ${branch} has no upstream on a remote. Say which one the pull request is for (git branch --set-upstream-to <remote>/<branch>) and start again.`,
    );
  const ahead = await run(['rev-list', '--count', '@{upstream}..HEAD'], directory);
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
    throw new NotStarted('--pull-request: gh auth status takes too long. See what it waits for and start again.');
  if (ran.exitCode !== 0)
    throw new NotStarted(
      '--pull-request: gh is not logged in (gh auth status fails). Run gh auth login and start again.',
    );
}

function withoutPrefix(ref: string): string | undefined {
  return /^refs\/heads\/(.+)$/.exec(ref)?.[1];
}

export function slugOf(feature: string): string {
  const [first = ''] = feature.trim().split('\n', 1);
  const slug = first
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+/g, '')
    .slice(0, SLUG_CHARS_MAX)
    .replaceAll(/-+$/g, '');
  return slug === '' ? 'feature' : slug;
}

function testCommandOf(directory: string): string {
  const file = path.join(directory, 'package.json');
  const scripts = fs.existsSync(file)
    ? (JSON.parse(fs.readFileSync(file, 'utf8')) as { scripts?: Record<string, string> }).scripts
    : undefined;
  const script = scripts?.['test'];
  if (script !== undefined && !script.includes('no test specified')) return 'npm test';
  throw new NotStarted(
    `${directory} has no test command in a package.json. Say how its tests are run: --test '<command>'.`,
  );
}

async function run(
  args: readonly string[],
  directory: string,
): Promise<{ exitCode: number | undefined; stdout: string }> {
  try {
    const ran = await attemptGit(args, { directory });
    if (ran.exitCode === undefined) throw new NotStarted('git was not found. Install it and start again.');
    return ran;
  } catch (error) {
    if (error instanceof NotStarted) throw error;
    throw new NotStarted(`git could not be run: ${(error as Error).message}`);
  }
}
