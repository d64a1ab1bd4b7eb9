import { existsSync } from 'node:fs';
import path from 'node:path';
import { attemptGit, git, gitList, type GitOptions } from './git.ts';

interface Submodule {
  readonly name: string;
  /** Relative to the checkout. */
  readonly path: string;
}

/**
 * Checks out the submodules of a new checkout that the user's checkout has, nested ones too. Git's own command would fetch them from
 * their remotes; here they are cloned from what the user's checkout has fetched, so that neither network nor credentials are needed,
 * and nothing is written to the user's configuration. Those that the user's checkout lacks stay empty.
 */
export async function checkOutSubmodules(
  { main, directory }: { readonly main: string; readonly directory: string },
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { name, path: at } of await submodulesIn({ directory, signal })) {
    const source = await gitDirectoryOf(path.join(main, at), signal);
    if (source === undefined) continue;
    const from = ['-c', `submodule.${name}.url=${source}`, '-c', 'protocol.file.allow=always'];
    const update = ['submodule', '--quiet', 'update', '--init', '--checkout', '--force', '--', at];
    await git([...from, ...update], { directory, signal });
    await checkOutSubmodules({ main: path.join(main, at), directory: path.join(directory, at) }, signal);
  }
}

/** The submodules that a checkout records and the user's lacks, which stay empty in the checkouts of a run. */
export async function missingSubmodules(directory: string): Promise<string[]> {
  const missing: string[] = [];
  for (const { path: at } of await submodulesIn({ directory })) {
    if ((await gitDirectoryOf(path.join(directory, at), undefined)) === undefined) missing.push(at);
  }
  return missing;
}

async function submodulesIn(options: GitOptions): Promise<Submodule[]> {
  if (!existsSync(path.join(options.directory, '.gitmodules'))) return [];
  const words = ['config', '--file', '.gitmodules', '--null', '--get-regexp', String.raw`^submodule\..*\.path$`];
  const found = await attemptGit(words, options);
  if (found.exitCode !== 0) return [];
  const recorded = new Set(await gitlinks(options));
  return found.stdout
    .split('\0')
    .flatMap((entry) => {
      const [, name, at] = /^submodule\.(.+)\.path\n(.+)$/s.exec(entry) ?? [];
      return name === undefined || at === undefined ? [] : [{ name, path: at }];
    })
    .filter((one) => recorded.has(one.path));
}

/** The paths at which the index has a commit of another repository. */
async function gitlinks(options: GitOptions): Promise<string[]> {
  const entries = await gitList(['ls-files', '--stage', '-z'], options);
  return entries.filter((entry) => entry.startsWith('160000 ')).map((entry) => entry.slice(entry.indexOf('\t') + 1));
}

/** The git directory of the submodule checked out there; undefined if there is none. */
async function gitDirectoryOf(directory: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  // Without it, git would find the repository around.
  if (!existsSync(path.join(directory, '.git'))) return undefined;
  const { exitCode, stdout } = await attemptGit(['rev-parse', '--absolute-git-dir'], { directory, signal });
  return exitCode === 0 ? stdout : undefined;
}
