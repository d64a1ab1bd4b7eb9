import { execa } from 'execa';

/** Whoever commits on behalf of the loop; agents have their own name. */
const LOOP = 'Mailroom';

/** What a git command said that failed, with the command. */
class GitFailed extends Error {
  readonly exitCode: number | undefined;

  constructor(args: readonly string[], { exitCode, output }: { exitCode: number | undefined; output: string }) {
    super(`git ${args.join(' ')} failed (${exitCode ?? 'killed'}): ${output.trim().slice(0, 2_000)}`);
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
}

/**
 * Runs git and gives what it printed, without the last line end. Identity, signing and hooks are set for this command only:
 * nothing of the user's configuration is changed or waited for. Throws GitFailed.
 */
export async function git(args: readonly string[], options: GitOptions): Promise<string> {
  const { exitCode, stdout, all } = await attemptGit(args, options);
  if (exitCode === 0) return stdout;
  throw new GitFailed(args, { exitCode, output: all });
}

/** The same for a command whose failure says something: never throws for an exit code. */
export async function attemptGit(
  args: readonly string[],
  { directory, signal, author }: GitOptions,
): Promise<{ readonly exitCode: number | undefined; readonly stdout: string; readonly all: string }> {
  const program = gitProgram(args, author);
  const { exitCode, stdout, all } = await execa('git', program.args, {
    cwd: directory,
    env: program.env,
    reject: false,
    all: true,
    stdin: 'ignore',
    ...(signal ? { cancelSignal: signal } : {}),
  });
  signal?.throwIfAborted();
  return { exitCode, stdout, all };
}

/** The arguments and the environment of a git command, with what is set for it only. */
export function gitProgram(
  args: readonly string[],
  author: string = LOOP,
): { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> } {
  const settings = ['commit.gpgsign=false', 'core.hooksPath=/dev/null', 'gc.auto=0', 'core.editor=true'];
  const email = `${author.toLowerCase()}@localhost`;
  return {
    args: [...settings.flatMap((one) => ['-c', one]), ...args],
    env: {
      GIT_AUTHOR_NAME: author,
      GIT_AUTHOR_EMAIL: email,
      GIT_COMMITTER_NAME: author,
      GIT_COMMITTER_EMAIL: email,
      GIT_TERMINAL_PROMPT: '0',
    },
  };
}
