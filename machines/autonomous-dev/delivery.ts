import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { LoopTerms } from './input.ts';
import { bodyFile } from './publication.ts';
import { pullRequestBody, pullRequestText } from './pull-request.ts';
import type { LoopReport } from './report.ts';
import { assertDelivered, type LoopMerge } from './integration.ts';
import { describeBranch } from './merge.ts';

/** What lies ready for people. */
export interface Delivery {
  readonly branch: string;
  /** The commit that the branch is at. */
  readonly head: string;
  /** How many commits it is ahead of its base. */
  readonly commits: number;
  readonly diffStat: string;
  /** The file with the text of the pull request. */
  readonly pullRequest: string;
}

/**
 * Checks that everything on the branch was approved, and writes the text of the pull request beside the checkouts. Doing it
 * again writes the same.
 */
export async function deliver(
  { repository, pullRequest }: LoopTerms,
  { report, merges }: { readonly report: LoopReport; readonly merges: readonly LoopMerge[] },
  signal: AbortSignal,
): Promise<Delivery> {
  await assertDelivered(repository, merges, signal);
  const head = merges.at(-1)?.commit ?? repository.base;
  const { commits, diffStat } = await describeBranch(repository, head, signal);
  const facts = { head, commits, diffStat };
  const file = path.join(repository.workDirectory, 'PULL-REQUEST.md');
  await writeWhole(file, pullRequestText(report, facts));
  if (pullRequest) await writeWhole(bodyFile(repository), pullRequestBody(report, facts));
  return { branch: repository.branch, head, commits: commits.length, diffStat, pullRequest: file };
}

async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}
