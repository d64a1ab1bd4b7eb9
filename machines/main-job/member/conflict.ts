import fs from 'node:fs';
import path from 'node:path';
import { cut } from 'agent-mailroom/workflow';
import { attemptGit, git, gitList, type GitOptions } from '../../autonomous-dev/git.ts';
import type { Case, Thought } from './case.ts';
import { commitAll, headOf, inCheckout, isMerging, lookBefore } from './checkout.ts';
import type { Work } from './heard.ts';
import type { Member } from './member.ts';
import { quoted } from './quoted.ts';
import { giveBack, handIn, threadOfTask } from './work.ts';

const TRIES_MAX = 2;
const MARKER = /^(?:<{7}|>{7})(?: |$)/m;

/** Merges what was merged meanwhile; where that conflicts the mind mends it, and the member completes the merge. */
export async function mendConflict(
  member: Member,
  one: Case,
  { work, head }: { work: Work; head: string },
): Promise<void> {
  const checkout = inCheckout(member, work.workspace.directory, one.signal);
  const before = await one.onceDone('before', () => lookBefore(checkout));
  const files = await one.onceDone('conflict', () => conflictWith(checkout, { head, before: before.head }));
  let thought: Thought | null = null;
  for (let tries = 1; files.length > 0; tries++) {
    thought = await one.ask(`mend ${tries}`, () => ({
      threadId: threadOfTask(work),
      content: mendText(work, { files, isAgain: tries > 1 }),
    }));
    if (!member.holding.isAtWork(work)) return;
    if (thought.isFailure) return giveBack(member, one, { work, reason: thought.content });
    const left = files.filter((file) => hasMarkers(path.join(checkout.directory, file)));
    if (left.length === 0) break;
    const reason = `there are still conflict markers in ${left.join(', ')}`;
    if (tries === TRIES_MAX) return giveBack(member, one, { work, reason });
  }
  if (await isMerging(checkout))
    await commitAll(checkout, before, `Merge ${head.slice(0, 10)} into the work on ${work.taskId}`);
  return handIn(member, one, { work, thought });
}

/** The files in which the merge conflicts; none when it is complete. */
async function conflictWith(
  checkout: GitOptions,
  { head, before }: { head: string; before: string },
): Promise<string[]> {
  // What a member before this one has begun goes on as it is.
  if (!(await isMerging(checkout)) && (await headOf(checkout)) === before) {
    await git(['rev-parse', '--verify', '--quiet', `${head}^{commit}`], checkout);
    const words = ['merge', '--no-ff', '--no-verify-signatures', '--no-stat', '--no-edit', head];
    const merged = await attemptGit(words, checkout);
    if (merged.exitCode !== 0 && !(await isMerging(checkout))) {
      throw new Error(`${head} could not be merged: ${cut(merged.all.trim(), { charsMax: 500 })}`);
    }
  }
  return gitList(['diff', '--no-ext-diff', '--name-only', '--diff-filter=U', '-z'], checkout);
}

function hasMarkers(file: string): boolean {
  return fs.existsSync(file) && MARKER.test(fs.readFileSync(file, 'utf8'));
}

function mendText(
  { title, description, workspace }: Work,
  { files, isAgain }: { files: readonly string[]; isAgain: boolean },
): string {
  return [
    isAgain
      ? 'There are still conflict markers in these files. Please mend them all.'
      : 'Your work conflicts with what others did meanwhile. Their work is being merged into your checkout, and these files have conflict markers:',
    '',
    ...files.map((file) => `  ${path.join(workspace.directory, file)}`),
    '',
    'Your task was:',
    '',
    quoted(`${title}\n\n${description}`),
    '',
    'Mend the files so that both changes are kept and no marker is left. Do not commit: the merge is completed for you. Then answer in one or two sentences what you did.',
  ].join('\n');
}
