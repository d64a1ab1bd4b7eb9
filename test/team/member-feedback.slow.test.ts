import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { until } from '../processes/child.ts';
import { expect, it } from 'vitest';
import type { Thought } from '../../machines/member/case.ts';
import { failingLines, feedbackOf } from '../../machines/member/feedback.ts';
import { runShell } from '../../machines/shared/run-program.ts';
import { readFeedback } from '../../machines/code-review/feedback.ts';
import { parseReview } from '../../machines/code-review/review.ts';
import { amount } from '../run/amount.ts';
import { anyCharacter } from '../message/property.ts';

const MS_MAX = 600_000;

const DIFF_STAT = '1 file changed, 1 insertion(+)';
const REVIEW = parseReview({ change: { title: 'Numbers', author: 'alice' }, reviewers: ['bob'] });

const words = fc.string({ unit: anyCharacter, maxLength: 3_000 });
const answer = fc.record({
  verdict: fc.constantFrom('approve', 'request-changes'),
  summary: words,
  issues: fc.array(fc.record({ description: words, file: words, evidence: fc.array(words) })),
  suggestions: fc.array(words),
  evidence: fc.array(words),
});
const thought: fc.Arbitrary<Thought> = fc.record({
  content: words,
  data: fc.oneof(answer, fc.jsonValue()),
  isFailure: fc.boolean(),
});
const ran = fc.record({
  command: fc.constant('npm test'),
  exitCode: fc.constantFrom(0, 1, 127, null),
  output: words,
});

it('never approves a change that fails its tests, and stays within the limits of a review', () => {
  const counts = { approve: 0, 'request-changes': 0, none: 0 };
  fc.assert(
    fc.property(ran, thought, (tests, said) => {
      const feedback = feedbackOf({ ran: tests, diffStat: DIFF_STAT, thought: said });
      const verdict = feedback?.verdict ?? 'none';
      counts[verdict] += 1;
      expect(tests.exitCode === 0 ? ['approve', 'request-changes', 'none'] : ['request-changes']).toContain(verdict);
      if (!feedback) return;
      const message = { type: 'REVIEW-FEEDBACK', content: verdict, messageId: '0'.repeat(36) };
      const read = readFeedback({ ...message, data: { ...feedback, round: 1 } }, { review: REVIEW, round: 1 });
      assert.deepEqual('feedback' in read ? read.feedback.verdict : read, verdict);
    }),
    { numRuns: amount(100, { long: 500 }) },
  );
  console.log('verdicts', counts);
  expect(Math.min(...Object.values(counts))).toBeGreaterThan(0);
});

it('names the exit code and the lines that show the failure', async () => {
  const script = "echo 'ok 1 - one'; echo 'not ok 2 - sum of several'; echo '# fail 1'; exit 3";
  const tests = await runShell({ command: script, cwd: '.', msMax: MS_MAX }, undefined);
  const approval = { verdict: 'approve', summary: 'Fine.', issues: [], suggestions: [], evidence: [] };
  const feedback = feedbackOf({
    ran: { ...tests, command: 'npm test' },
    diffStat: DIFF_STAT,
    thought: { content: '', data: approval, isFailure: false },
  });
  expect(feedback).toMatchObject({
    verdict: 'request-changes',
    issues: [
      {
        description: 'npm test: exit code 3; not ok 2 - sum of several',
        evidence: ['npm test: exit code 3', 'not ok 2 - sum of several', '# fail 1'],
      },
    ],
  });
  expect(failingLines({ command: '', exitCode: 1, output: 'one\n\ntwo' })).toEqual(['one', 'two']);
});

it('ends a test run, with all its processes, when the member ends', async () => {
  const leaving = new AbortController();
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-tests-'));
  const file = path.join(directory, 'pid');
  const run = runShell(
    { command: 'sleep 600 & echo $! > pid.new; mv pid.new pid; wait', cwd: directory, msMax: MS_MAX },
    leaving.signal,
  );
  await until('it runs', () => fs.existsSync(file));
  leaving.abort(new Error('the member leaves'));
  await expect(run).rejects.toThrow('the member leaves');
  const pid = Number(fs.readFileSync(file, 'utf8'));
  await until('it has ended', () => !isRunning(pid));
  fs.rmSync(directory, { recursive: true });
});

it('turns issues of an approval into suggestions', () => {
  const data = {
    verdict: 'approve',
    summary: 'Fine.',
    issues: [{ description: 'a better name' }],
    suggestions: [],
    evidence: [],
  };
  const feedback = feedbackOf({
    ran: { command: 'npm test', exitCode: 0, output: '' },
    diffStat: DIFF_STAT,
    thought: { content: '', data, isFailure: false },
  });
  expect(feedback).toMatchObject({ verdict: 'approve', issues: [], suggestions: ['a better name'] });
});

/** Whether the process runs; a zombie does not. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
