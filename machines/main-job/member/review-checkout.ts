import fs from 'node:fs';
import path from 'node:path';
import { makeReady } from '../../autonomous-dev/checkouts.ts';
import { attemptGit, git, type GitOptions } from '../../autonomous-dev/git.ts';
import type { ReviewRequest } from './heard.ts';
import type { Member } from './member.ts';

/** A checkout of the commit that is reviewed, of the reviewer's own; the same request gives the same one. */
export async function openReview(
  { terms, home }: Member,
  { change: { commit }, round }: ReviewRequest,
  signal: AbortSignal,
): Promise<GitOptions> {
  const directory = path.join(home, 'reviews', `${commit.slice(0, 12)}-${round}`);
  const ready = `${directory}.ready`;
  const inRepository = { directory: terms.repository, signal };
  if (!fs.existsSync(ready)) {
    await git(['rev-parse', '--verify', '--quiet', `${commit}^{commit}`], inRepository);
    fs.mkdirSync(path.dirname(directory), { recursive: true });
    await attemptGit(['worktree', 'remove', '--force', '--force', directory], inRepository);
    await git(['worktree', 'add', '--quiet', '--detach', '--force', directory, commit], inRepository);
    await makeReady({ directory, setup: terms.setup, start: commit }, signal);
    fs.writeFileSync(ready, '');
  }
  return { directory, signal };
}

export async function closeReview({ terms }: Member, { directory, signal }: GitOptions): Promise<void> {
  fs.rmSync(`${directory}.ready`, { force: true });
  await attemptGit(['worktree', 'remove', '--force', '--force', directory], { directory: terms.repository, signal });
}
