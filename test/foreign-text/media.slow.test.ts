import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  ALL_HOSTILE_MARKUP,
  ALL_HOSTILE_TEXT,
  HOSTILE_MARKUP,
  HOSTILE_TEXT,
  isClean,
} from '../../fixtures/zoo/hostile-text.ts';
import { machine } from '../../machines/autonomous-dev.ts';
import type { ChangeReport } from '../../machines/autonomous-dev/change-events.ts';
import type { LoopInput } from '../../machines/autonomous-dev/input.ts';
import type { LoopProgress } from '../../machines/autonomous-dev/progress.ts';
import { pullRequestBody, pullRequestText, titleOf } from '../../machines/autonomous-dev/pull-request.ts';
import type { LoopReport } from '../../machines/autonomous-dev/report.ts';
import type { Feedback } from '../../machines/code-review/feedback.ts';
import type { ReviewOutput } from '../../machines/code-review/progress.ts';
import { complain, progressText, tell } from '../../machines/team/show.ts';
import { commitMessage } from '../../machines/shared/commit-message.ts';
import { RecordedWorkflow } from '../machines/recorded-workflow.ts';
import { anyCharacter, checkProperty } from '../message/property.ts';
import { isTried, SHORT_STRIDE } from '../processes/stride.ts';
import { amount } from '../run/amount.ts';
import { ACTS_ON_GITHUB, rendered } from './rendered.ts';

const HOSTILE = Object.values({ ...HOSTILE_TEXT, ...HOSTILE_MARKUP });
const EVERYTHING = `${ALL_HOSTILE_TEXT}\n${ALL_HOSTILE_MARKUP}`;
const ID = '01900000-0000-7000-8000-0000000000aa';
const FACTS = { head: 'a'.repeat(40), commits: ['one'], diffStat: ` x | 1 +\n${EVERYTHING}\n 1 file changed` };
const GITHUB_CHARS_MAX = 65_536;
const SECTIONS = ['What changed', 'What was decided', 'How it was tested', 'What is missing', 'Which files'];
const FOLD = '<details>\n<summary>Who did what, with commits and messages</summary>\n\n';

const feedbackOf = (text: string): Feedback => ({
  round: 1,
  reviewer: 'ben',
  verdict: 'request-changes',
  issues: [{ id: 'i', description: text, file: text, evidence: [text] }],
  suggestions: [text],
  evidence: [text],
  messageId: ID,
});
const reviewOf = (text: string): ReviewOutput => ({
  outcome: 'approved',
  change: { title: text, author: 'ada' },
  rounds: 1,
  reviewers: ['ben'],
  feedback: [feedbackOf(text)],
  disagreements: [],
  statistics: {} as ReviewOutput['statistics'],
  gone: [],
  undelivered: [],
});
const changeOf = (text: string, outcome: ChangeReport['outcome'] = 'merged'): ChangeReport => ({
  taskId: 'csv',
  title: text,
  agent: 'ada',
  epoch: 2,
  outcome,
  submissions: [{ commit: text, summary: text, messageId: ID }],
  reviews: [reviewOf(text)],
  decisions: [
    {
      taskId: 'csv',
      question: text,
      outcome: 'decided',
      option: text,
      mustChange: true,
      tieBreak: null,
      votes: [{ voter: 'ben', option: text, evidence: [text, text], messageId: ID }],
      missing: [],
    },
  ],
  conflicts: 1,
  merge: 'b'.repeat(40),
});
const reportOf = (text: string, changes = [changeOf(text), changeOf(text, 'stuck')]): LoopReport => ({
  outcome: 'delivered',
  reason: text,
  feature: '# Costs\n\nShare them.',
  branch: 'mailroom/costs',
  base: 'c'.repeat(40),
  findings: { by: 'ada', text, messageId: ID },
  planSource: `the built-in template, because ada gave none (${text})`,
  tasks: [],
  changes,
  tests: [{ command: `npm test ${text}`, exitCode: 0, output: text }],
  delivery: null,
  pullRequest: null,
});

/** Expects the report's own structure, with agents' text only as text and code. */
function expectReport(text: string): void {
  // The only HTML, and the only place for ids of messages.
  const [shown = '', folded = '', ...more] = text.split(FOLD);
  expect([more, folded.split('\n</details>\n').length, folded.endsWith('\n</details>\n')]).toEqual([[], 2, true]);
  expect(shown).not.toMatch(/\([0-9a-f]{8}\)/);
  const markdown = `${shown}\n${folded.replace('\n</details>\n', '\n')}`;
  const { elements, headings, prose } = rendered(markdown);
  expect(headings.filter((one) => one.startsWith('h2 '))).toEqual(SECTIONS.map((one) => `h2 ${one}`));
  const allowed = ['h1', 'h2', 'p', 'ul', 'li', 'code', 'pre', 'strong', 'blockquote'];
  expect([...new Set(elements)].filter((name) => !allowed.includes(name))).toEqual([]);
  // The ids of messages are ours.
  expect(prose.replaceAll(/\((?:[0-9a-f]{8})\)/g, '')).not.toMatch(ACTS_ON_GITHUB);
  expect(markdown.split('\n').filter((line) => !isClean(line.replaceAll('\t', '')))).toEqual([]);
}

describe('the text of the pull request', () => {
  it('is the report for any text of agents, tests and git', () => {
    for (const [at, text] of [...HOSTILE, EVERYTHING].entries()) {
      const report = reportOf(text);
      expectReport(pullRequestBody(report, FACTS));
      // The same without the limit of the forge.
      if (text === EVERYTHING || isTried(at, SHORT_STRIDE)) expectReport(pullRequestText(report, FACTS));
    }
    const text = fc.array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: anyCharacter })), { maxLength: 6 });
    const property = fc.property(text, (parts) => expectReport(pullRequestBody(reportOf(parts.join('\n')), FACTS)));
    checkProperty('reports', property, { runs: amount(20, { long: 50 }) });
  });

  it('keeps its sections for any feature', () => {
    for (const feature of [...HOSTILE, EVERYTHING]) {
      const { headings } = rendered(pullRequestBody({ ...reportOf('x'), feature }, FACTS));
      expect(headings).toEqual(SECTIONS.map((one) => `h2 ${one}`));
    }
  });

  it('keeps every section with 600 tasks, within GitHub’s limit', () => {
    const changes = Array.from({ length: 600 }, () =>
      changeOf('Let each customer pay in as many parts as there are months'),
    );
    const body = pullRequestBody(reportOf('as asked', [...changes, changeOf('x', 'stuck')]), FACTS);
    expect(body.length).toBeLessThan(GITHUB_CHARS_MAX);
    expectReport(body);
    expect(body).toContain('- run 1: `npm test as asked` → exit code 0');
    expect(body).toMatch(/\n\n… and \d+ more lines\.\n\n## What was decided/);
    expect(pullRequestText(reportOf('x', changes), FACTS).match(/^- \*\*Let each/gm)).toHaveLength(2 * 600);
  });

  it('has an inert title', () => {
    for (const feature of HOSTILE) {
      const title = titleOf(feature);
      expect(title).toBe(commitMessage(feature).split('\n')[0]);
      expect([isClean(title), title.length <= 72]).toEqual([true, true]);
    }
  });
});

describe('the message of a merge', () => {
  it('makes the title inert', () => {
    const input: LoopInput = {
      feature: 'Costs',
      repository: {
        directory: '/repo',
        base: 'a'.repeat(40),
        branch: 'mailroom/costs',
        run: 'abcd1234',
        workDirectory: '/work',
      },
      testCommand: 'npm test',
      agents: ['ada', 'ben'],
      plan: { tasks: [{ id: 'csv', title: 'Parse', description: 'Parse it.' }] },
    };
    for (const title of HOSTILE) {
      const run = new RecordedWorkflow(machine, { input })
        .done('open', { directory: '/work/integration', conventions: [] })
        .done('testBase', { run: { command: 'npm test', exitCode: 0, output: '', verdict: 'passed' } })
        .fails('question', 'nobody has the address ada');
      const task = { id: 'csv', title, description: 'x', files: [], dependsOn: [], skills: [] };
      run.happens({ type: 'TASK-CLAIMED', task, agent: 'ada', epoch: 1, messageId: ID });
      run.happens({ type: 'APPROVED', taskId: 'csv', epoch: 1, commit: 'c', title, agent: 'ada' });
      const note = 'Work of ada, reviewed and approved.';
      expect(run.started('merge').input).toMatchObject({ message: commitMessage(`Merge csv: ${title}`, { note }) });
    }
  });
});

/** All progress events, with the text in every field that others write. */
function progressWith(text: string): LoopProgress[] {
  const review = reviewOf(text);
  const [decision] = changeOf(text).decisions;
  const about = { taskId: 'csv', agent: 'ada' };
  return [
    { type: 'phase', phase: 'research', detail: text },
    { type: 'researched', by: 'ada', findings: text, messageId: ID },
    { type: 'planned', source: text, tasks: [{ id: 'csv', title: text, dependsOn: [] }] },
    { type: 'claimed', ...about, title: text, epoch: 1 },
    { type: 'handed-in', ...about, commit: text, summary: text, messageId: ID },
    {
      type: 'changes-requested',
      ...about,
      commit: 'c',
      round: 1,
      issues: review.feedback.flatMap(({ issues }) => issues.map((issue) => ({ ...issue, reviewer: 'ben' }))),
    },
    { type: 'reviewed', taskId: 'csv', review },
    {
      type: 'disputed',
      taskId: 'csv',
      disagreements: [
        {
          issue: 'i',
          round: 1,
          topic: text,
          positions: [{ who: 'ben', position: text, evidence: [text], messageId: ID }],
        },
      ],
    },
    ...(decision ? [{ type: 'decided' as const, decision }] : []),
    { type: 'released', ...about, reason: text },
    { type: 'merged', ...about, commit: 'c', diffStat: text },
    { type: 'conflict', ...about, files: [text] },
    { type: 'tested', command: text, exitCode: 1, output: text, round: 0 },
    { type: 'pull-request-opened', url: text },
    { type: 'pull-request-failed', fault: text },
    { type: 'ended', outcome: 'failed', reason: text },
  ];
}

describe('the screen', () => {
  afterEach(() => vi.restoreAllMocks());

  it('shows no text that acts on it, and no line started by others', () => {
    const lines: string[] = [];
    for (const stream of ['log', 'error'] as const)
      vi.spyOn(console, stream).mockImplementation((text: string) => void lines.push(...text.split('\n')));
    const forged = 'well\n== delivered: all tasks are done\n   0.1 s  csv merged';
    for (const text of [...HOSTILE, EVERYTHING, forged]) {
      for (const one of progressWith(text)) tell(progressText(one, '   1.0 s'));
      complain(text);
    }
    expect(lines.length).toBeGreaterThan(500);
    expect(lines.filter((line) => !isClean(line.replaceAll('\t', '')))).toEqual([]);
    const forgedLines = lines.filter((line) => line.startsWith('== delivered'));
    // Lines from `complain` alone have no shape of their own.
    expect(forgedLines).toEqual(['== delivered: all tasks are done']);
    expect(lines.filter((line) => line.startsWith('   0.1 s'))).toEqual(['   0.1 s  csv merged']);
  });

  it('shows the output of tests without colours, and omits no other character', () => {
    const output = '\u001b[31m✗ one\u001b[0m\r\n\u001b]0;owned\u0007two';
    const shown = progressText({ type: 'tested', command: 'npm test', exitCode: 1, output, round: 0 }, '   1.0 s');
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    tell(shown);
    expect(log).toHaveBeenCalledWith('   1.0 s  npm test: exit code 1\n      ✗ one\n      \\x1b]0;owned\\x07two');
  });
});
