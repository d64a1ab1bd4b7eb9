import fs from 'node:fs';
import path from 'node:path';
import { attemptGit, git, type GitOptions } from '../../autonomous-dev/git.ts';
import type { Member } from './member.ts';

const SUBJECT_CHARS_MAX = 72;

/** A checkout of the run, in which git commits as the member. Throws for one that is not below the run. */
export function inCheckout({ terms }: Pick<Member, 'terms'>, directory: string, signal: AbortSignal): GitOptions {
  const from = path.relative(fs.realpathSync(terms.directory), fs.realpathSync(directory));
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
  const untracked = await git(['ls-files', '--others', '--exclude-standard', '--directory', '-z'], checkout);
  return { head: await headOf(checkout), untracked: untracked.split('\0').filter(Boolean) };
}

/** Commits all that has been changed since, if there is something, or a merge is to be completed. */
export async function commitAll(checkout: GitOptions, { untracked }: Before, message: string): Promise<void> {
  const others = untracked.map((name) => `:(top,exclude,literal)${name.replace(/\/$/, '')}`);
  await git(['add', '--all', '--', ':/', ...others], checkout);
  const isChanged = (await attemptGit(['diff', '--cached', '--quiet'], checkout)).exitCode !== 0;
  if (isChanged || (await isMerging(checkout))) await git(['commit', '--quiet', '--message', message], checkout);
}

/** What was done as the message of a commit: a short first line, and all of it below where it is longer. */
export function commitMessage(summary: string, title: string): string {
  const text = summary.trim() === '' ? title : summary.trim();
  const [first = ''] = text.split('\n', 1);
  const subject = first.replace(/^#+\s*/, '');
  if (subject.length <= SUBJECT_CHARS_MAX) return text;
  const short = `${subject.slice(0, SUBJECT_CHARS_MAX - 1).replace(/\s+\S*$/, '')}…`;
  return `${short}\n\n${text}`;
}
