import path from 'node:path';
import { shellWord } from '../shared/shell-word.ts';
import type { LoopTerms } from './input.ts';
import { titleOf } from './pull-request.ts';
import type { Repository } from './repository.ts';

/** A pull request that is to be opened. */
export interface Publication {
  readonly repository: Repository;
  /** The commit that was delivered. */
  readonly head: string;
  /** The remote that the branch is pushed to. */
  readonly remote: string;
  /** The branch there that it is to be merged into. */
  readonly base: string;
  readonly title: string;
  /** The file with its text. */
  readonly body: string;
}

/** Throws when none was asked for. */
export function publicationOf({ feature, repository, pullRequest }: LoopTerms, head: string): Publication {
  if (!pullRequest) throw new TypeError('no pull request was asked for');
  return { repository, head, ...pullRequest, title: titleOf(feature), body: bodyFile(repository) };
}

/** The text of the pull request without its title. */
export function bodyFile({ workDirectory }: Repository): string {
  return path.join(workDirectory, 'PULL-REQUEST.body.md');
}

/** What git is to do: nothing but this commit as this branch, and nothing of what is there is overwritten. */
export function pushWords({ repository: { branch }, head, remote }: Publication): string[] {
  return ['push', '--no-follow-tags', '--no-recurse-submodules', remote, `${head}:refs/heads/${branch}`];
}

/** What gh is to do. */
export function createWords({ repository: { branch }, base, title, body }: Publication): string[] {
  return ['pr', 'create', '--head', branch, '--base', base, '--title', title, '--body-file', body];
}

/** The same for a person: commands that work when they are pasted. */
export function byHand(publication: Publication): string[] {
  const { directory } = publication.repository;
  const line = (program: string, words: readonly string[]): string =>
    [program, ...words.map((word) => (/^[\w./:@-]+$/.test(word) ? word : shellWord(word)))].join(' ');
  return [
    line('git', ['-C', directory, ...pushWords(publication)]),
    `${line('cd', [directory])} && ${line('gh', createWords(publication))}`,
  ];
}
