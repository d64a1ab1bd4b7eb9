import { cut } from 'agent-mailroom/workflow';
import { type ProgramRan, runProgram } from '../shared/run-program.ts';
import { git, gitProgram } from './git.ts';
import { assertHead } from './integration.ts';
import { createWords, type Publication, pushWords } from './pull-request.ts';
import { integrationDirectory } from './repository.ts';

const PUSH_MS_MAX = 5 * 60_000;
const FAULT_CHARS_MAX = 1_000;

/** The first pull request of a branch name that does not come from a fork. */
const FIRST_OWN = 'map(select(.isCrossRepository | not)) | .[0].url // empty';

/**
 * Pushes the branch and opens its pull request; resolves with the URL. Idempotent: finished steps are found and not repeated,
 * so that a kill at any moment leaves one pull request. Rejects with the output of git or gh.
 */
export async function publish(publication: Publication, signal?: AbortSignal): Promise<string> {
  const { repository, head, remote, base } = publication;
  await assertHead(repository, head, signal);
  const inBranch = { directory: integrationDirectory(repository), remote, signal };
  const pushed = await runProgram(
    { file: 'git', ...gitProgram(pushWords(publication)), cwd: inBranch.directory, msMax: PUSH_MS_MAX },
    signal,
  );
  if (pushed.exitCode !== 0) throw failed('git push', pushed);

  const list = ['pr', 'list', '--head', repository.branch, '--base', base, '--state', 'open'];
  const find = [...list, '--json', 'url,isCrossRepository', '--jq', FIRST_OWN];
  const found = await runGh(find, inBranch);
  if (found.exitCode !== 0) throw failed('gh pr list', found);
  if (found.stdout !== '') return found.stdout;

  // When this command ends, the pull request exists.
  const created = await runGh(createWords(publication), inBranch);
  const [url] = /https?:\/\/\S+$/.exec(created.stdout) ?? [];
  if (created.exitCode === 0 && url !== undefined) return url;
  // The pull request may exist although the answer did not arrive.
  const late = await runGh(find, inBranch);
  if (late.exitCode === 0 && late.stdout !== '') return late.stdout;
  throw failed('gh pr create', created);
}

function failed(what: string, { exitCode, output }: ProgramRan): Error {
  const how = exitCode === null ? 'timeout' : String(exitCode);
  return new Error(`${what} failed (${how}): ${cut(output, { charsMax: FAULT_CHARS_MAX, keep: 'end' })}`);
}

const GH_MS_MAX = 60_000;

/**
 * Runs GitHub's command line for a remote of a checkout, or for none. It never prompts and runs for a minute at most. Rejects
 * if `gh` is not installed.
 */
export async function runGh(
  args: readonly string[],
  { directory, remote, signal }: { directory: string; remote?: string; signal?: AbortSignal | undefined },
): Promise<ProgramRan> {
  const env = { GH_PROMPT_DISABLED: '1', ...(remote === undefined ? {} : await repositoryIs(remote, directory)) };
  return runProgram({ file: 'gh', args, cwd: directory, env, msMax: GH_MS_MAX }, signal);
}

/**
 * What `gh repo set-default` writes into git's configuration, for one command only; otherwise gh would use `upstream`, or
 * what the user has set for other work.
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
