import { attemptGit, gitList, type GitOptions } from './git.ts';
import type { Repository } from './repository.ts';

const GITLINK = '160000';

/** The full id of a commit, or the reason why it cannot be reviewed. */
export type HandedIn =
  | {
      readonly commit: string;
      /** Changed files that the task does not name; missing where it names none. */
      readonly outside?: readonly string[];
    }
  | { readonly fault: string };

/** Checks that a commit can be reviewed: it exists, is on top of the start of its checkout, and is complete. */
export async function lookAtCommit(
  { directory, branch }: Repository,
  {
    commit: name,
    base,
    files = [],
  }: { readonly commit: string; readonly base: string; readonly files?: readonly string[] },
  signal?: AbortSignal,
): Promise<HandedIn> {
  const inMain = { directory, signal };
  const found = /^[^-\s]\S*$/.test(name)
    ? await attemptGit(['rev-parse', '--verify', '--quiet', `${name}^{commit}`], inMain)
    : undefined;
  if (found?.exitCode !== 0) return { fault: `there is no commit ${name} in the repository` };
  const commit = found.stdout;
  if (commit === base)
    return { fault: `${commit} is the commit that the checkout started from: nothing is committed yet` };
  const isOnTop = (await attemptGit(['merge-base', '--is-ancestor', base, commit], inMain)).exitCode === 0;
  if (!isOnTop) return { fault: `${commit} is not on top of ${base}, from which the checkout started` };
  const links = await strayLinks({ commit, base }, inMain);
  if (links.length > 0) return { fault: strayLinkText(links) };
  if (files.length === 0) return { commit };
  // From where it left the delivered branch: what the author merged from there is not the author's.
  const changes = ['diff', '--name-only', '--no-renames', '-z', `refs/heads/${branch}...${commit}`];
  const outside = (await gitList(changes, inMain)).filter((one) => !isDeclared(one, files));
  return outside.length === 0 ? { commit } : { commit, outside };
}

/** Whether a changed file is one of those that a task names: paths, directories, or patterns with `*`, `**` and `?`. */
export function isDeclared(file: string, declared: readonly string[]): boolean {
  return declared.some((one) => {
    const name = one.replace(/^\.\//, '').replace(/\/+$/, '');
    return file === name || file.startsWith(`${name}/`) || patternOf(name).test(file);
  });
}

function patternOf(glob: string): RegExp {
  const parts = Array.from(glob.matchAll(/\*\*\/|\*\*|\*|\?|[^*?]+/g), ([part]) => GLOB[part] ?? escaped(part));
  return new RegExp(`^${parts.join('')}$`, 'u');
}

const GLOB: Readonly<Record<string, string>> = { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' };

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`);
}

/** Paths that newly link to a repository of their own and are no submodule. */
async function strayLinks(
  { commit, base }: { readonly commit: string; readonly base: string },
  inMain: GitOptions,
): Promise<string[]> {
  const words = ['diff-tree', '-r', '-z', '--raw', '--no-renames', '--ignore-submodules=none', base, commit];
  // For each path one entry with its modes, such as `:100644 160000 <id> <id> T`, then the path.
  const changes = await gitList(words, inMain);
  const added = changes.flatMap((change, at) => {
    const [before, after] = /^:(\d+) (\d+) /.exec(change)?.slice(1) ?? [];
    return at % 2 === 0 && after === GITLINK && before !== GITLINK ? [changes[at + 1] ?? ''] : [];
  });
  if (added.length === 0) return [];
  const config = ['config', '--blob', `${commit}:.gitmodules`, '-z', '--get-regexp', String.raw`^submodule\..*\.path$`];
  const { stdout } = await attemptGit(config, inMain);
  const submodules = new Set(stdout.split('\0').map((entry) => entry.slice(entry.indexOf('\n') + 1)));
  return added.filter((path) => !submodules.has(path));
}

function strayLinkText(paths: readonly string[]): string {
  const names = paths.map((path) => JSON.stringify(path)).join(', ');
  const [are, it] =
    paths.length === 1 ? ['is a git repository of its own', 'it'] : ['are git repositories of their own', 'them'];
  return `${names} ${are} inside the checkout, so the commit has only a link to ${it} and none of the files. Remove the .git directory in ${it}, take the link out of the index (git rm --cached), and commit the files; or make a submodule of ${it}, with an entry in .gitmodules`;
}

/** Repositories inside a checkout that its own repository does not know. */
export async function embeddedRepositories(checkout: GitOptions): Promise<string[]> {
  // git does not descend into them and lists them with a trailing slash; of other directories it lists the files.
  const others = await gitList(['ls-files', '--others', '--exclude-standard', '-z', '--', ':/'], checkout);
  return others.filter((name) => name.endsWith('/')).map((name) => name.slice(0, -1));
}
