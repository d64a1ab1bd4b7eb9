import { cut, childEnvironment } from 'agent-mailroom/workflow';
import { execa } from 'execa';

/** The author of the loop's own commits; agents commit under their own names. */
const LOOP = 'Mailroom';

/**
 * Settings that change what these commands do or print, each with the value the code relies on. They are passed to every
 * command, so that no configuration of user, system or repository overrides them. Everything else stays the user's: how a
 * remote is reached, filters such as those of Git LFS, merge drivers, safe directories.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  // Programs that git would start or wait for.
  'core.hooksPath': '/dev/null',
  'core.editor': 'true',
  'core.fsmonitor': 'false',
  'commit.gpgSign': 'false',
  'push.gpgSign': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  // Conversions between checkout and commit.
  'core.attributesFile': '/dev/null',
  'core.autocrlf': 'false',
  'core.eol': 'native',
  'core.safecrlf': 'false',
  'submodule.recurse': 'false',
  'worktree.useRelativePaths': 'false',
  // How merges are made.
  'merge.autoStash': 'false',
  'merge.conflictStyle': 'merge',
  'merge.directoryRenames': 'conflict',
  'merge.ff': 'false',
  'merge.log': 'false',
  'merge.renames': 'true',
  'merge.renormalize': 'false',
  'merge.verifySignatures': 'false',
  'rerere.enabled': 'false',
  // Output.
  'color.ui': 'false',
  'core.abbrev': 'auto',
  'core.quotePath': 'false',
  'diff.ignoreSubmodules': 'none',
  'diff.renames': 'true',
  'diff.suppressBlankEmpty': 'false',
  'i18n.commitEncoding': 'UTF-8',
  'i18n.logOutputEncoding': 'UTF-8',
  'log.showSignature': 'false',
  'status.showUntrackedFiles': 'normal',
};

/** Variables that tell git how to reach a remote, where its programs and configuration are, and what to trace. */
const INHERITED = /^GIT_(?:ASKPASS|SSH|SSL|HTTP|CURL|PROXY|PROTOCOL|ALLOW_PROTOCOL|EXEC_PATH|TRACE|CONFIG_|TEST_)/;

/** For every command that prints a diff of two commits, so that everybody gets the same text. */
export const DIFF_OPTIONS = [
  '--no-color',
  '--no-ext-diff',
  '--no-textconv',
  '--ignore-submodules=none',
  '--find-renames',
  '--src-prefix=a/',
  '--dst-prefix=b/',
] as const;

/** A git command failed; the text has the command and its output. */
class GitFailed extends Error {
  readonly exitCode: number | undefined;

  constructor(args: readonly string[], { exitCode, output }: { exitCode: number | undefined; output: string }) {
    super(`git ${args.join(' ')} failed (${exitCode ?? 'killed'}): ${cut(output.trim(), { charsMax: 2_000 })}`);
    this.name = 'GitFailed';
    this.exitCode = exitCode;
  }
}

export interface GitOptions {
  /** The checkout or repository in which the command runs. */
  readonly directory: string;
  readonly signal?: AbortSignal | undefined;
  /** The agent that commits. Default: the loop itself. */
  readonly author?: string | undefined;
  /** A command that prints more is killed and counts as failed. */
  readonly charsMax?: number | undefined;
}

/** Runs git and resolves with its stdout, without the last line end. Throws GitFailed. */
export async function git(args: readonly string[], options: GitOptions): Promise<string> {
  const { exitCode, stdout, all } = await attemptGit(args, options);
  if (exitCode === 0) return stdout;
  throw new GitFailed(args, { exitCode, output: all });
}

/** Runs a git command that prints a list with `-z`. Throws GitFailed. */
export async function gitList(args: readonly string[], options: GitOptions): Promise<string[]> {
  return (await git(args, options)).split('\0').filter(Boolean);
}

/** Runs a git command whose exit code is an answer; never throws for an exit code. */
export async function attemptGit(
  args: readonly string[],
  { directory, signal, author, charsMax }: GitOptions,
): Promise<{ readonly exitCode: number | undefined; readonly stdout: string; readonly all: string }> {
  const program = gitProgram(args, author);
  const inherited = Object.entries(childEnvironment()).filter(
    ([name]) => !name.startsWith('GIT_') || INHERITED.test(name),
  );
  const { exitCode, isMaxBuffer, stdout, all } = await execa('git', program.args, {
    cwd: directory,
    env: { ...Object.fromEntries(inherited), ...program.env },
    extendEnv: false,
    reject: false,
    all: true,
    stdin: 'ignore',
    ...(charsMax === undefined ? {} : { maxBuffer: charsMax }),
    ...(signal ? { cancelSignal: signal } : {}),
  });
  signal?.throwIfAborted();
  // Even if the command ended with 0 before the kill, its output is truncated.
  return { exitCode: isMaxBuffer ? undefined : exitCode, stdout, all };
}

/** The full arguments and the environment of a git command, with the settings above. */
export function gitProgram(
  args: readonly string[],
  author: string = LOOP,
): { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> } {
  const settings = Object.entries(SETTINGS).map(([name, value]) => `${name}=${value}`);
  const email = `${author.toLowerCase()}@localhost`;
  return {
    args: [...settings.flatMap((one) => ['-c', one]), ...args],
    env: {
      GIT_AUTHOR_NAME: author,
      GIT_AUTHOR_EMAIL: email,
      GIT_COMMITTER_NAME: author,
      GIT_COMMITTER_EMAIL: email,
      GIT_TERMINAL_PROMPT: '0',
      // Reading the user's checkout must not write its index.
      GIT_OPTIONAL_LOCKS: '0',
      // A commit must be what its id says: no `git replace` and no graft takes its place.
      GIT_NO_REPLACE_OBJECTS: '1',
      GIT_GRAFT_FILE: '/dev/null',
    },
  };
}
