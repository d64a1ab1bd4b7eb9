import { attemptGit, DIFF_OPTIONS, git, gitList, type GitOptions } from '../autonomous-dev/git.ts';
import { shellWord } from '../shared/shell-word.ts';

const DIFF_CHARS_MAX = 40_000;
/** One command of git for each. */
const FILES_TRIED_MAX = 200;
const COMMITS_SHOWN_MAX = 100;
const FILES_NAMED_MAX = 500;

/** The whole range that an approval covers, as a reviewer is shown it. */
export interface ShownChange {
  readonly range: readonly [from: string, to: string];
  readonly commits: readonly string[];
  /** Of the files that fit, one after the other. */
  readonly diff: string;
  /** For each file that does not fit, the command that shows it. */
  readonly leftOut: readonly string[];
  /** One line: how much has changed. */
  readonly summary: string;
}

/** What a commit changes since it left `base`. Nothing is cut: a file is shown whole, or named with its command. */
export async function showChange(
  { base, commit }: { readonly base: string; readonly commit: string },
  checkout: GitOptions,
): Promise<ShownChange> {
  const from = await git(['merge-base', base, commit], checkout);
  const range = [from, commit] as const;
  const list = ['log', '-z', '--topo-order', '--no-color', '--format=%h %an: %s', `${from}..${commit}`];
  const stat = await git(['diff-tree', '--shortstat', ...DIFF_OPTIONS, ...range], checkout);
  const shown: string[] = [];
  const leftOut: string[] = [];
  let charsLeft = DIFF_CHARS_MAX;
  for (const [at, paths] of (await changedFiles(range, checkout)).entries()) {
    const isTried = charsLeft > 0 && at < FILES_TRIED_MAX;
    const diff = isTried ? await diffOf(paths, range, { ...checkout, charsMax: charsLeft }) : undefined;
    if (diff === undefined) {
      leftOut.push(commandFor(paths, range));
      continue;
    }
    shown.push(diff);
    charsLeft -= diff.length + 1;
  }
  return { range, commits: await gitList(list, checkout), diff: shown.join('\n'), leftOut, summary: stat.trim() };
}

/** For a question: what was changed, and what of it is not in the question. */
export function changeText({ range, commits, diff, leftOut }: ShownChange): {
  readonly shown: string;
  readonly more: string[];
} {
  const others = commits.length - COMMITS_SHOWN_MAX;
  const shown = [
    ...commits.slice(0, COMMITS_SHOWN_MAX),
    ...(others > 0 ? [`and ${others} more commits`] : []),
    '',
    diff,
  ].join('\n');
  if (leftOut.length === 0) return { shown, more: [] };
  const unnamed = leftOut.length - FILES_NAMED_MAX;
  return {
    shown,
    more: [
      `${leftOut.length} of the changed files are not shown above, because they are too long or not text. Your approval covers them, so look at each one in that directory:`,
      '',
      ...leftOut.slice(0, FILES_NAMED_MAX).map((command) => `  ${command}`),
      ...(unnamed > 0
        ? [`  and ${unnamed} more; all are listed by: git diff --name-only --no-renames ${range.join(' ')}`]
        : []),
      '',
    ],
  };
}

/** The paths of each file that has changed: two, where it was renamed. */
async function changedFiles(range: readonly string[], checkout: GitOptions): Promise<string[][]> {
  const words = await gitList(['diff-tree', '-r', '-z', '--name-status', ...DIFF_OPTIONS, ...range], checkout);
  const files: string[][] = [];
  for (let at = 0; at < words.length;) {
    const count = /^[RC]/.test(words[at] ?? '') ? 2 : 1;
    files.push(words.slice(at + 1, at + 1 + count));
    at += 1 + count;
  }
  return files;
}

/** Undefined where it does not fit, or is not text. */
async function diffOf(
  paths: readonly string[],
  range: readonly string[],
  options: GitOptions,
): Promise<string | undefined> {
  const words = ['--literal-pathspecs', 'diff-tree', '-r', '-p', ...DIFF_OPTIONS, ...range, '--', ...paths];
  const { exitCode, stdout } = await attemptGit(words, options);
  // What a file says is behind a space or a sign.
  const isText = !/^Binary files .* differ$/m.test(stdout);
  return exitCode === 0 && isText ? stdout : undefined;
}

/** Shows a file, whatever the configuration of git and the attributes of the file say. */
function commandFor(paths: readonly string[], [from = '', to = '']: readonly string[]): string {
  const words = paths.map((one) => shellWord(one)).join(' ');
  return `git --literal-pathspecs diff --text --no-color --no-ext-diff --no-textconv ${from.slice(0, 12)} ${to.slice(0, 12)} -- ${words}`;
}
