import { existsSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { gitList } from './git.ts';

/** Its patterns, in the form of `.gitignore`, name ignored files that a new checkout needs, such as `.env`. */
export const INCLUDE_FILE = '.worktreeinclude';

const NAMES_A_COMMAND = 500;

/**
 * Copies the user's local files that git ignores and `.worktreeinclude` names into a new checkout; what lies there already stays.
 * A file that git does not ignore is never copied: it would look like an agent's work. Resolves with the names.
 */
export async function copyLocalFiles(
  { main, directory }: { readonly main: string; readonly directory: string },
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const names = await localFiles(main, signal);
  for (const name of names) {
    const to = path.join(directory, name);
    await mkdir(path.dirname(to), { recursive: true });
    await cp(path.join(main, name), to, { force: false, verbatimSymlinks: true, preserveTimestamps: true });
  }
  return names;
}

/** The local files of the user's checkout that are copied into each checkout of a run. */
export async function localFiles(main: string, signal?: AbortSignal): Promise<string[]> {
  if (!existsSync(path.join(main, INCLUDE_FILE))) return [];
  const inMain = { directory: main, signal };
  const named = await gitList(['ls-files', '--others', '--ignored', `--exclude-from=${INCLUDE_FILE}`, '-z'], inMain);
  const ignored: string[] = [];
  for (let at = 0; at < named.length; at += NAMES_A_COMMAND) {
    const literal = named.slice(at, at + NAMES_A_COMMAND).map((name) => `:(top,literal)${name}`);
    const words = ['ls-files', '--others', '--ignored', '--exclude-standard', '-z', '--', ...literal];
    ignored.push(...(await gitList(words, inMain)));
  }
  return ignored;
}
