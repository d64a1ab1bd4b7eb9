import fs from 'node:fs';
import path from 'node:path';
import { cut } from 'agent-mailroom/workflow';
import { z } from 'zod';
import { makeReady, readReadiness } from '../autonomous-dev/checkouts.ts';
import { attemptGit, git, type GitOptions } from '../autonomous-dev/git.ts';
import { portEnvironment } from '../autonomous-dev/ports.ts';
import { runShell, type ShellRan } from '../shared/run-program.ts';
import { shellWord } from '../shared/shell-word.ts';
import type { Case } from './case.ts';
import { feedbackOf, howItEnded, verdictAnswer } from './feedback.ts';
import type { ReviewRequest } from './heard.ts';
import type { Member } from './member.ts';
import { quoted } from './quoted.ts';
import { changeText, showChange, type ShownChange } from './shown-change.ts';

const OUTPUT_CHARS_SHOWN = 6_000;

/** Reviews a commit: the member runs the tests in a checkout of its own, and the mind judges the change. */
export async function reviewChange(member: Member, one: Case, request: ReviewRequest): Promise<void> {
  const { change, round } = request;
  const checkout = await openReview(member, request, one.signal);
  const ran = await one.onceDone('tests', () => {
    const env = portEnvironment(readReadiness(checkout.directory)?.ports);
    const { testCommand: command, testMinutes } = member.terms;
    return runShell({ command, cwd: checkout.directory, env, msMax: testMinutes * 60_000 }, one.signal);
  });
  const shown = await showChange(change, checkout);
  const thought = await one.ask('review', () => ({
    threadId: cut(`review of ${change.branch === '' ? change.commit : change.branch}`, { charsMax: 200 }),
    content: reviewText(request, { directory: checkout.directory, ran, shown }),
    replySchema: z.toJSONSchema(verdictAnswer, { io: 'input' }),
  }));
  await closeReview(member, checkout);
  const feedback = feedbackOf({ ran, diffStat: shown.summary, thought });
  if (!feedback) throw new Error(`I cannot review the change: ${thought.content}`);
  const { verdict } = feedback;
  await one.send('feedback', () => ({
    to: one.message.from,
    type: 'REVIEW-FEEDBACK',
    content: verdict,
    data: { ...feedback, round },
  }));
  member.say(`${change.title}, round ${round}: ${verdict} (${howItEnded(ran)})`);
}

function reviewText(
  { change, round }: ReviewRequest,
  { directory, ran, shown }: { directory: string; ran: ShellRan; shown: ShownChange },
): string {
  const text = changeText(shown);
  return [
    `Please review a change by ${change.author}, round ${round}. It is checked out for you, to read and to try, in`,
    '',
    `  cd ${shellWord(directory)}`,
    '',
    'The task of the change:',
    '',
    quoted(`${change.title}\n\n${change.description}`),
    '',
    `The tests were run there. ${howItEnded(ran)}`,
    '',
    quoted(cut(ran.output, { charsMax: OUTPUT_CHARS_SHOWN, keep: 'end' })),
    '',
    `The change, ${shown.commits.length === 1 ? 'one commit' : `${shown.commits.length} commits`}:`,
    '',
    quoted(text.shown),
    '',
    ...text.more,
    'Approve the change if it does its task and breaks nothing. Request changes only for what must change, each as an issue with evidence: file and line, a command and its output. Anything that would merely be nicer is a suggestion. Issues that were voted on are settled.',
  ].join('\n');
}

/** A checkout of the commit that is reviewed, of the reviewer's own; the same request gives the same one. */
async function openReview(
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
    const { setup, setupMinutes } = terms;
    const repository = { directory: terms.repository, workDirectory: terms.directory, setup, setupMinutes };
    const readiness = await makeReady({ repository, directory, start: commit }, signal);
    fs.writeFileSync(ready, JSON.stringify(readiness));
  }
  return { directory, signal };
}

async function closeReview({ terms }: Member, { directory, signal }: GitOptions): Promise<void> {
  fs.rmSync(`${directory}.ready`, { force: true });
  await attemptGit(['worktree', 'remove', '--force', '--force', directory], { directory: terms.repository, signal });
}
