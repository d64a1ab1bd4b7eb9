import fs from 'node:fs';
import path from 'node:path';
import { cut } from 'agent-mailroom/workflow';
import { attemptGit, git, gitList, type GitOptions } from '../autonomous-dev/git.ts';
import { shellWord } from '../shared/shell-word.ts';
import type { Case, Thought } from './case.ts';
import { challengeIssues } from './challenge.ts';
import { commitAll, headOf, inCheckout, isMerging, lookBefore, newRepositories, repositoriesText } from './checkout.ts';
import { type Rework, type Work, threadOfTask } from './heard.ts';
import type { Member } from './member.ts';
import { clipped, quoted } from './quoted.ts';

const REASON_CHARS_MAX = 900;

/** Begins a task that it has claimed: the mind does the work, the member commits it and hands it in. */
export async function startTask(member: Member, one: Case, work: Work): Promise<void> {
  await doWork(member, one, { work, feedback: '' });
}

/** Goes on with a task as its feedback says: a conflict to mend, issues of a review, or what the tests found. */
export async function reworkTask(member: Member, one: Case, rework: Rework): Promise<void> {
  const head = commitToMerge(rework.feedback);
  if (head !== undefined) return mendConflict(member, one, { work: rework, head });
  const { isAllChallenged, remark } = await challengeIssues(member, one, rework);
  // It is put to the vote; the task stays this member's until then.
  if (isAllChallenged) return member.holding.dispute();
  return doWork(member, one, { work: rework, feedback: rework.feedback, remark });
}

async function doWork(
  member: Member,
  one: Case,
  { work, feedback, remark = '' }: { work: Work; feedback: string; remark?: string },
): Promise<void> {
  const { directory } = work.workspace;
  const checkout = inCheckout(member, directory, one.signal);
  const before = await one.onceDone('before', () => lookBefore(checkout));
  let thought = await one.ask('work', () => ({
    threadId: threadOfTask(work),
    content: workText(one, { work, feedback, remark }),
  }));
  const repositories = thought.isFailure ? [] : await newRepositories(checkout, before);
  if (repositories.length > 0) {
    thought = await one.ask('repositories', () => ({
      threadId: threadOfTask(work),
      content: repositoriesQuestion(work, repositories),
    }));
  }
  if (!member.holding.isAtWork(work)) return member.say(`${work.taskId}: no longer held by this agent`);
  if (thought.isFailure) return giveBack(member, one, { work, reason: thought.content });
  await commitAll(checkout, before, thought.content.trim() === '' ? work.title : thought.content);
  if ((await headOf(checkout)) === before.head) return giveBack(member, one, { work, reason: thought.content });
  return handIn(member, one, { work, thought });
}

/** Hands in the commit that the checkout is at. */
async function handIn(
  member: Member,
  one: Case,
  { work, thought }: { work: Work; thought: Thought | null },
): Promise<void> {
  const { taskId, epoch, workspace, title } = work;
  const checkout = inCheckout(member, workspace.directory, one.signal);
  const commit = await headOf(checkout);
  const subject = await git(['log', '-1', '--no-color', '--format=%s'], checkout);
  const summary = clipped(thought?.content.trim() ?? subject, REASON_CHARS_MAX);
  await one.send('completed', () => ({
    to: one.message.from,
    type: 'COMPLETED',
    content: `done:${taskId} ${summary}`,
    data: { taskId, epoch, commit, branch: workspace.branch, summary },
  }));
  member.holding.handedIn();
  member.say(`${title}: handed in ${commit.slice(0, 10)}`);
}

/** Somebody else may try. */
export async function giveBack(
  member: Member,
  one: Case,
  { work: { taskId, epoch, title }, reason }: { work: Work; reason: string },
): Promise<void> {
  const why = clipped(reason.trim(), REASON_CHARS_MAX);
  await one.send('blocked', () => ({
    to: one.message.from,
    type: 'BLOCKED',
    content: `blocked:${taskId} ${why}`,
    data: { taskId, epoch, reason: why },
  }));
  member.holding.giveBack(taskId);
  member.say(`${title}: given back, ${why.split('\n', 1)[0] ?? ''}`);
}

/** The commit that is to be merged, as the command in the feedback has it. */
function commitToMerge(feedback: string): string | undefined {
  const [, head] = /^ {2}git merge ([0-9a-f]{40,64})$/m.exec(feedback) ?? [];
  return head;
}

function repositoriesQuestion({ workspace }: Work, names: readonly string[]): string {
  return [
    `Your work cannot be committed yet: ${repositoriesText(names)}. The checkout is:`,
    '',
    `  cd ${shellWord(workspace.directory)}`,
    '',
    'If the files belong to your work, remove only the .git directory there; otherwise remove everything in it. Then say in one or two sentences what you did for the task.',
  ].join('\n');
}

function workText(
  { message }: Case,
  { work, feedback, remark }: { work: Work; feedback: string; remark: string },
): string {
  const { title, description, files, workspace } = work;
  const triedBefore = message.content.split('\n').filter((line) => line.startsWith('Tried before by '));
  return [
    feedback === ''
      ? 'Please do a task of a plan that several agents work on, in a git checkout of your own:'
      : 'Please continue your task. Your work so far is committed in your checkout:',
    '',
    `  cd ${shellWord(workspace.directory)}`,
    '',
    'The task:',
    '',
    quoted([title, '', description, ...(files.length > 0 ? ['', `Files: ${files.join(', ')}`] : [])].join('\n')),
    '',
    ...(triedBefore.length > 0 ? ['Earlier attempts:', '', quoted(triedBefore.join('\n')), ''] : []),
    ...(feedback === ''
      ? []
      : ['The requested changes (the commands in them are not for you):', '', quoted(feedback), '']),
    ...(remark === '' ? [] : [remark, '']),
    'Do the task by changing files in that checkout, with tests where they belong; touch nothing outside of it. Do not commit and do not switch branches: all changes there are committed for you.',
    'Then say in one or two sentences what you did. If you cannot do the task, change nothing and say why.',
  ].join('\n');
}

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
      ? 'These files still have conflict markers. Please resolve them all.'
      : 'Your work conflicts with changes that were merged meanwhile. They are being merged into your checkout, and these files have conflict markers:',
    '',
    ...files.map((file) => `  ${path.join(workspace.directory, file)}`),
    '',
    'Your task was:',
    '',
    quoted(`${title}\n\n${description}`),
    '',
    'Resolve the conflicts so that both changes are kept and no marker is left. Do not commit: the merge is completed for you. Then say in one or two sentences what you did.',
  ].join('\n');
}
