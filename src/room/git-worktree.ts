import { basename, dirname, resolve } from 'node:path';
import { namesIn, readText } from '../host/files.ts';
import type { Host } from '../host/host.ts';

const LINK = /^gitdir: (.+)$/m;
/** Git keeps the files of a worktree in `worktrees/<name>` of the repository (gitrepository-layout(5)). */
const OF_WORKTREE = /^(.+)[/\\]worktrees[/\\][^/\\]+$/;
const BARE = /^\s*bare\s*=\s*(?:true|yes|on|1)\s*$/im;
const PATH_CHARS_MAX = 4096;
const WORKTREES_MAX = 1_000;

/** Where else the room of a git worktree may be. */
export interface Elsewhere {
  /** Worktrees of the same repository, if it has no main one. */
  readonly siblings: readonly string[];
  /** The main checkout, or the directory that contains the bare repository. */
  readonly main: string;
}

/**
 * What the `.git` of a directory says; undefined if it is not a linked worktree. Others write those files, so nothing
 * in them is trusted.
 */
export function elsewhereOf(host: Host, directory: string): Elsewhere | undefined {
  const linked = pathIn(host, `${directory}/.git`, directory, LINK);
  const repository = linked === undefined ? undefined : OF_WORKTREE.exec(linked)?.[1];
  if (repository === undefined) return undefined;
  const isBare = ['config', 'config.worktree'].some((name) => BARE.test(textOf(host, `${repository}/${name}`)));
  if (!isBare) return basename(repository) === '.git' ? { siblings: [], main: dirname(repository) } : undefined;
  return { siblings: worktreesOf(host, repository), main: dirname(repository) };
}

/** The directories of a repository's worktrees: each `worktrees/<name>/gitdir` names one by the path of its `.git`. */
function worktreesOf(host: Host, repository: string): string[] {
  const names = namesIn(host.files, `${repository}/worktrees`).sort().slice(0, WORKTREES_MAX);
  return names
    .map((name) => `${repository}/worktrees/${name}`)
    .map((own) => pathIn(host, `${own}/gitdir`, own, /^(.+)$/m))
    .filter((path) => path !== undefined)
    .map((path) => dirname(path));
}

/** The path that a file holds, resolved against `base`; undefined for an invalid one. */
function pathIn(host: Host, file: string, base: string, form: RegExp): string | undefined {
  const path = form.exec(textOf(host, file))?.[1]?.trimEnd() ?? '';
  if (path === '' || path.length > PATH_CHARS_MAX || path.includes('\0')) return undefined;
  return resolve(base, path);
}

function textOf({ files }: Host, file: string): string {
  return readText(files, file) ?? '';
}
