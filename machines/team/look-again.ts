import fs from 'node:fs';
import { integrationDirectory } from '../autonomous-dev/repository.ts';
import { shellWord } from '../shared/shell-word.ts';
import { NotStarted } from './options.ts';
import { askGit } from './preflight.ts';
import { assertNoHost } from './run-host.ts';
import type { Run } from './run-directory.ts';

/**
 * Checks that a run can resume: no process carries it out, and the repository and the checkout that it merges into still
 * exist. Throws NotStarted with one line that says what is missing; nothing is changed.
 */
export async function lookAgain({ directory, input: { repository } }: Run): Promise<void> {
  assertNoHost(directory);
  const { directory: main, base, branch } = repository;
  const anew = 'or start another run with --new';
  if (!(await isCheckout(main)))
    throw new NotStarted(
      `The run in ${directory} cannot resume: ${main} is no longer a git repository. Restore it and start again, ${anew}.`,
    );
  if (!(await isThere(`${base}^{commit}`, main)))
    throw new NotStarted(
      `The run in ${directory} cannot resume: its first commit, ${base.slice(0, 10)}, is no longer in ${main}. Fetch it and start again, ${anew}.`,
    );
  const integration = integrationDirectory(repository);
  // Until then the checkout is created, not checked.
  if (!fs.existsSync(`${integration}.ready`)) return;
  if (!(await isThere(`refs/heads/${branch}`, main)))
    throw new NotStarted(
      `The run in ${directory} cannot resume: the branch ${branch} was deleted from ${main}. Restore it (git branch ${branch} <commit>) and start again, ${anew}.`,
    );
  if (!(await isCheckout(integration)))
    throw new NotStarted(
      `The run in ${directory} cannot resume: its checkout ${integration} is gone. Restore it (git -C ${shellWord(main)} worktree add --force ${shellWord(integration)} ${shellWord(branch)}) and start again, ${anew}.`,
    );
}

/** Whether it is the top of a checkout, not merely a directory in one. */
async function isCheckout(directory: string): Promise<boolean> {
  if (!fs.existsSync(directory)) return false;
  const { exitCode, stdout } = await askGit(['rev-parse', '--show-toplevel'], directory);
  return exitCode === 0 && stdout === fs.realpathSync.native(directory);
}

async function isThere(revision: string, directory: string): Promise<boolean> {
  return (await askGit(['rev-parse', '--verify', '--quiet', revision], directory)).exitCode === 0;
}
