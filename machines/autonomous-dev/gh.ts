import { runProgram, type ProgramRan } from '../shared/run-program.ts';

const GH_MS_MAX = 60_000;

/**
 * Runs GitHub's command line about a remote of a checkout, or about none. It never asks, and takes a minute at most. Rejects
 * when there is no such program.
 */
export async function runGh(
  args: readonly string[],
  { directory, remote, signal }: { directory: string; remote?: string; signal?: AbortSignal | undefined },
): Promise<ProgramRan> {
  const env = { GH_PROMPT_DISABLED: '1', ...(remote === undefined ? {} : repositoryIs(remote)) };
  return runProgram({ file: 'gh', args, cwd: directory, env, msMax: GH_MS_MAX }, signal);
}

/** What `gh repo set-default` writes into the configuration of git, for one command only; else it would take `upstream`. */
function repositoryIs(remote: string): Record<string, string> {
  const at = Number(process.env['GIT_CONFIG_COUNT'] ?? 0);
  return {
    GIT_CONFIG_COUNT: String(at + 1),
    [`GIT_CONFIG_KEY_${at}`]: `remote.${remote}.gh-resolved`,
    [`GIT_CONFIG_VALUE_${at}`]: 'base',
  };
}
