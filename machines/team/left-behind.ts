import fs from 'node:fs';
import path from 'node:path';
import { type Readiness, readReadiness } from '../autonomous-dev/checkouts.ts';
import { attemptGit, git, gitList } from '../autonomous-dev/git.ts';
import { embeddedRepositories } from '../autonomous-dev/handed-in.ts';
import {
  integrationDirectory,
  runRefs,
  taskBranches,
  tasksDirectory,
  type Repository,
} from '../autonomous-dev/repository.ts';
import type { Run } from './run-directory.ts';

const NAMES_SHOWN_MAX = 8;
const FILE = 'repository-before.json';

/** The state of the user's repository before a run. */
interface RepositoryBefore {
  readonly v: 1;
  /** The id of each ref. */
  readonly refs: Readonly<Record<string, string>>;
  readonly worktrees: readonly string[];
  readonly stashes: number;
}

/** Records the state of the repository before a run, so that what the run leaves behind can be told apart. */
export async function noteBefore({ directory, input }: Run): Promise<void> {
  const before: RepositoryBefore = { v: 1, ...(await lookAt(input.repository.directory)) };
  fs.writeFileSync(path.join(directory, FILE), `${JSON.stringify(before)}\n`);
}

/** What a run leaves behind, for its end; empty if nothing. */
export async function leftBehindText(run: Run): Promise<string> {
  const lines = await leftBehind(run).catch((error: unknown) => [
    `it could not be listed: ${(error as Error).message}`,
  ]);
  return lines.length === 0 ? '' : ['', 'Left behind:', ...lines.map((line) => `  ${line}`)].join('\n');
}

/** What the repository has now and did not have before the run, and what is not committed, one line each. */
async function leftBehind(run: Run): Promise<string[]> {
  const { repository } = run.input;
  const before = JSON.parse(fs.readFileSync(path.join(run.directory, FILE), 'utf8')) as RepositoryBefore;
  const after = await lookAt(repository.directory);
  const own = fs.realpathSync.native(run.directory);
  const made = after.worktrees.filter((one) => !before.worktrees.includes(one));
  const worktrees = made.filter((one) => !isOwnCheckout(one, own));
  const stashes = after.stashes - before.stashes;
  return [
    ...(await refLines(repository, { before: before.refs, after: after.refs })),
    ...worktrees.map((one) => `the worktree ${one}, made during the run`),
    ...(stashes > 0 ? [`${stashes === 1 ? 'a stash' : `${stashes} stashes`} (git stash list)`] : []),
    ...(await uncommittedIn(repository)),
    ...setupLines(repository),
    ...ownLines(run, { refs: Object.keys(after.refs), worktrees: made.length - worktrees.length }),
  ];
}

async function lookAt(directory: string): Promise<Omit<RepositoryBefore, 'v'>> {
  const refs = await git(['for-each-ref', '--format=%(objectname) %(refname)'], { directory });
  const worktrees = await git(['worktree', 'list', '--porcelain'], { directory });
  const stashes = await attemptGit(['rev-list', '--walk-reflogs', 'refs/stash', '--'], { directory });
  return {
    refs: Object.fromEntries(
      refs
        .split('\n')
        .filter(Boolean)
        .map((line) => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]),
    ),
    worktrees: [...worktrees.matchAll(/^worktree (.+)$/gm)].map(([, one = '']) => one),
    stashes: stashes.exitCode === 0 ? stashes.stdout.split('\n').filter(Boolean).length : 0,
  };
}

/** Whether a worktree belongs to the loop or to a member's review. */
function isOwnCheckout(worktree: string, own: string): boolean {
  const from = path.relative(own, worktree);
  return /^(?:integration|merge|tasks\/[^/]+|agents\/[^/]+\/reviews\/[^/]+)$/.test(from);
}

async function refLines(
  repository: Repository,
  { before, after }: { before: RepositoryBefore['refs']; after: RepositoryBefore['refs'] },
): Promise<string[]> {
  const delivered = `refs/heads/${repository.branch}`;
  const ofTasks = `refs/heads/${taskBranches(repository)}`;
  const lines: string[] = [];
  for (const [ref, id] of Object.entries(after)) {
    if (ref === delivered || ref === 'refs/stash' || ref.startsWith(runRefs(repository))) continue;
    const name = ref.replace(/^refs\/heads\//, 'branch ').replace(/^refs\/tags\//, 'tag ');
    if (ref.startsWith(ofTasks)) {
      const range = ['rev-list', '--count', id, `^${after[delivered] ?? repository.base}`];
      const count = await git(range, { directory: repository.directory });
      if (count !== '0') lines.push(`the ${name}: ${count === '1' ? '1 commit' : `${count} commits`} not delivered`);
    } else if (before[ref] === undefined) {
      lines.push(`the ${name} at ${id.slice(0, 10)}, made during the run`);
    } else if (before[ref] !== id) {
      lines.push(`the ${name}, moved during the run from ${before[ref].slice(0, 10)} to ${id.slice(0, 10)}`);
    }
  }
  const gone = Object.entries(before).filter(([ref]) => after[ref] === undefined && ref !== 'refs/stash');
  return [...lines, ...gone.map(([ref, id]) => `${ref}, which was at ${id.slice(0, 10)}, was removed during the run`)];
}

/** What the run has created for itself, no longer needed after an inspection. */
function ownLines(
  { directory, input: { repository } }: Run,
  { refs, worktrees }: { readonly refs: readonly string[]; readonly worktrees: number },
): string[] {
  const prefix = taskBranches(repository);
  const branches = refs.filter((ref) => ref.startsWith(`refs/heads/${prefix}`)).length;
  if (branches + worktrees === 0) return [];
  return [`of the run itself: the branches ${prefix}* (${branches}), and worktrees below ${directory} (${worktrees})`];
}

/** The checkouts that are ready, each with its record. */
function checkoutsOf(repository: Repository): { readonly directory: string; readonly readiness: Readiness }[] {
  const tasks = tasksDirectory(repository);
  const names = fs.existsSync(tasks) ? fs.readdirSync(tasks) : [];
  const directories = [integrationDirectory(repository), ...names.map((name) => path.join(tasks, name))];
  return directories.flatMap((directory) => {
    const readiness = fs.existsSync(directory) ? readReadiness(directory) : undefined;
    return readiness ? [{ directory, readiness }] : [];
  });
}

/** What is not committed in the checkouts of a run, one line for each. */
export async function uncommittedIn(repository: Repository): Promise<string[]> {
  const lines: string[] = [];
  for (const { directory, readiness } of checkoutsOf(repository)) {
    const changed = await gitList(['status', '--porcelain=v1', '--no-renames', '-z'], { directory });
    const names = changed.map((entry) => entry.slice(3)).filter((name) => !readiness.untracked.includes(name));
    const repositories = new Set(await embeddedRepositories({ directory }));
    const told = names.map((name) => ({ name, isRepository: repositories.has(name.replace(/\/$/, '')) }));
    if (told.length > 0) lines.push(`not committed in ${directory}: ${shown(told)}`);
  }
  return lines;
}

function setupLines(repository: Repository): string[] {
  const putBack = new Set(checkoutsOf(repository).flatMap(({ readiness }) => readiness.putBack));
  const names = [...putBack].map((name) => ({ name }));
  return names.length === 0 ? [] : [`changes by the set-up, restored: ${shown(names)}`];
}

function shown(names: readonly { readonly name: string; readonly isRepository?: boolean }[]): string {
  const more = names.length - NAMES_SHOWN_MAX;
  const listed = names
    .slice(0, NAMES_SHOWN_MAX)
    .map(({ name, isRepository }) => `${JSON.stringify(name)}${isRepository ? ' (a repository of its own)' : ''}`);
  return `${listed.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
