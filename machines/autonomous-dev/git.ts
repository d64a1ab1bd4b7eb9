import { cut, childEnvironment } from 'agent-mailroom/workflow';
import { execa } from 'execa';

/** Whoever commits on behalf of the loop; agents have their own name. */
const LOOP = 'Mailroom';

/**
 * Settings that would change what these commands do or print, each with the value that they rely on. They are passed to
 * every command, so that the configuration of the user, of the machine or of the repository cannot change them. What is
 * not here stays the user's: how a remote is reached, filters such as those of Git LFS, merge drivers, safe directories.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  // Programs of the user that git would start or wait for.
  'core.hooksPath': '/dev/null',
  'core.editor': 'true',
  'core.fsmonitor': 'false',
  'commit.gpgSign': 'false',
  'push.gpgSign': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  // What goes from a checkout into a commit, and back.
  'core.attributesFile': '/dev/null',
  'core.autocrlf': 'false',
  'core.eol': 'native',
  'core.safecrlf': 'false',
  'submodule.recurse': 'false',
  'worktree.useRelativePaths': 'false',
  // How a merge is made.
  'merge.autoStash': 'false',
  'merge.conflictStyle': 'merge',
  'merge.directoryRenames': 'conflict',
  'merge.ff': 'false',
  'merge.log': 'false',
  'merge.renames': 'true',
  'merge.renormalize': 'false',
  'merge.verifySignatures': 'false',
  'rerere.enabled': 'false',
  // What is printed.
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

/** Variables of git that say how it reaches a remote, where its programs and configuration are, and what it traces. */
const INHERITED = /^GIT_(?:ASKPASS|SSH|SSL|HTTP|CURL|PROXY|PROTOCOL|ALLOW_PROTOCOL|EXEC_PATH|TRACE|CONFIG_|TEST_)/;

/** For every command that prints a diff of two commits: the same text for everybody. */
export const DIFF_OPTIONS = [
  '--no-color',
  '--no-ext-diff',
  '--no-textconv',
  '--ignore-submodules=none',
  '--find-renames',
  '--src-prefix=a/',
  '--dst-prefix=b/',
] as const;

/** What a git command said that failed, with the command. */
class GitFailed extends Error {
  readonly exitCode: number | undefined;

  constructor(args: readonly string[], { exitCode, output }: { exitCode: number | undefined; output: string }) {
    super(`git ${args.join(' ')} failed (${exitCode ?? 'killed'}): ${cut(output.trim(), { charsMax: 2_000 })}`);
    this.name = 'GitFailed';
    this.exitCode = exitCode;
  }
}

export interface GitOptions {
  /** The checkout or repository that it is about. */
  readonly directory: string;
  readonly signal?: AbortSignal | undefined;
  /** The agent that commits; the loop itself when not given. */
  readonly author?: string | undefined;
  /** A command that prints more is killed, and counts as failed. */
  readonly charsMax?: number | undefined;
}

/** Runs git and gives what it printed, without the last line end. Throws GitFailed. */
export async function git(args: readonly string[], options: GitOptions): Promise<string> {
  const { exitCode, stdout, all } = await attemptGit(args, options);
  if (exitCode === 0) return stdout;
  throw new GitFailed(args, { exitCode, output: all });
}

/** Runs a git command that prints a list with `-z`. Throws GitFailed. */
export async function gitList(args: readonly string[], options: GitOptions): Promise<string[]> {
  return (await git(args, options)).split('\0').filter(Boolean);
}

/** Runs git for a command whose failure says something: never throws for an exit code. */
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
  // It may have ended well before it could be killed, and what it printed is cut all the same.
  return { exitCode: isMaxBuffer ? undefined : exitCode, stdout, all };
}

/** The arguments and the environment of a git command, with what is set for it only. */
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
      // So that looking at the user's checkout does not write its index.
      GIT_OPTIONAL_LOCKS: '0',
      // So that a commit is what its id says: no `git replace`, no graft stands in its place.
      GIT_NO_REPLACE_OBJECTS: '1',
      GIT_GRAFT_FILE: '/dev/null',
    },
  };
}
