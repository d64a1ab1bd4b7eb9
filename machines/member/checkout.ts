import fs from 'node:fs';
import path from 'node:path';
import { attemptGit, git, gitList, type GitOptions } from '../autonomous-dev/git.ts';
import { embeddedRepositories } from '../autonomous-dev/handed-in.ts';
import { commitMessage } from '../shared/commit-message.ts';
import type { Member } from './member.ts';

/** A checkout of the run, in which git commits as the member. Throws for one that is not below the run. */
export function inCheckout({ terms }: Pick<Member, 'terms'>, directory: string, signal: AbortSignal): GitOptions {
  const from = path.relative(fs.realpathSync.native(terms.directory), fs.realpathSync.native(directory));
  if (from === '' || from.startsWith('..') || path.isAbsolute(from)) {
    throw new Error(`${directory} is no checkout of this run`);
  }
  return { directory, signal, author: terms.address };
}

export function headOf(checkout: GitOptions): Promise<string> {
  return git(['rev-parse', 'HEAD'], checkout);
}

export async function isMerging(checkout: GitOptions): Promise<boolean> {
  return (await attemptGit(['rev-parse', '--verify', '--quiet', 'MERGE_HEAD'], checkout)).exitCode === 0;
}

/** How a checkout was before the mind works in it. */
export interface Before {
  readonly head: string;
  /** What lies there and is none of the repository, such as what `npm ci` has left where it is not ignored. */
  readonly untracked: readonly string[];
}

export async function lookBefore(checkout: GitOptions): Promise<Before> {
  const untracked = await gitList(['ls-files', '--others', '--exclude-standard', '--directory', '-z'], checkout);
  return { head: await headOf(checkout), untracked };
}

/** Repositories that were made in a checkout since. Their files would not be in a commit, but only a link to them. */
export async function newRepositories(checkout: GitOptions, { untracked }: Before): Promise<string[]> {
  const found = await embeddedRepositories(checkout);
  return found.filter((name) => !untracked.some((one) => `${name}/`.startsWith(one)));
}

/**
 * Commits all that has been changed since, if there is something, or a merge is to be completed. What was done
 * becomes the message. Throws where a repository was made in the checkout.
 */
export async function commitAll(checkout: GitOptions, before: Before, done: string): Promise<void> {
  const repositories = await newRepositories(checkout, before);
  if (repositories.length > 0) throw new Error(repositoriesText(repositories));
  const { untracked } = before;
  const others = untracked.map((name) => `:(top,exclude,literal)${name.replace(/\/$/, '')}`);
  await git(['add', '--all', '--', ':/', ...others], checkout);
  const isChanged = (await attemptGit(['diff-index', '--cached', '--quiet', 'HEAD'], checkout)).exitCode !== 0;
  if (isChanged || (await isMerging(checkout)))
    await git(['commit', '--quiet', '--no-verify', '--cleanup=whitespace', '--message', commitMessage(done)], checkout);
}

export function repositoriesText(names: readonly string[]): string {
  const named = names.map((name) => JSON.stringify(name)).join(', ');
  return names.length === 1
    ? `${named} is a git repository of its own inside the checkout, so its files would be missing from the commit`
    : `${named} are git repositories of their own inside the checkout, so their files would be missing from the commit`;
}
