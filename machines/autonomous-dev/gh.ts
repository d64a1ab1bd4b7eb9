import { runProgram, type ProgramRan } from '../shared/run-program.ts';
import { git } from './git.ts';

const GH_MS_MAX = 60_000;

/**
 * Runs GitHub's command line about a remote of a checkout, or about none. It never asks, and takes a minute at most. Rejects
 * when there is no such program.
 */
export async function runGh(
  args: readonly string[],
  { directory, remote, signal }: { directory: string; remote?: string; signal?: AbortSignal | undefined },
): Promise<ProgramRan> {
  const env = { GH_PROMPT_DISABLED: '1', ...(remote === undefined ? {} : await repositoryIs(remote, directory)) };
  return runProgram({ file: 'gh', args, cwd: directory, env, msMax: GH_MS_MAX }, signal);
}

/**
 * What `gh repo set-default` writes into the configuration of git, for one command only: else it would take `upstream`, or
 * whatever the user has set for other work.
 */
async function repositoryIs(remote: string, directory: string): Promise<Record<string, string>> {
  const others = (await git(['remote'], { directory })).split('\n').filter((one) => one !== '' && one !== remote);
  const set = [...others.map((one) => [one, ''] as const), [remote, 'base'] as const];
  const entries = set.flatMap(([name, value], at) => [
    [`GIT_CONFIG_KEY_${at}`, `remote.${name}.gh-resolved`],
    [`GIT_CONFIG_VALUE_${at}`, value],
  ]);
  return { ...Object.fromEntries(entries), GIT_CONFIG_COUNT: String(set.length), GH_REPO: '' };
}
