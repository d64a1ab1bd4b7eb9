import { expect, it } from 'vitest';
import { assign, sendParent, sendTo, setup } from 'xstate';
import { machine as change } from '../../machines/autonomous-dev/change.ts';
import type { ChangeInput } from '../../machines/autonomous-dev/change-context.ts';
import type { FromChange } from '../../machines/autonomous-dev/change-events.ts';
import type { Revised } from '../../machines/code-review/events.ts';
import type { ReviewInput } from '../../machines/code-review/review.ts';
import { activity } from '../../src/workflow/activity.ts';
import { explore } from '../../src/testing/explore/explore.ts';
import { formatExploration } from '../../src/testing/explore/report.ts';
import type { ActivityUnderTest, Outcome } from '../../src/testing/explore/system.ts';

const INPUT: ChangeInput = {
  task: { id: 'parser', title: 'Parse', description: 'Parse it.', files: [], dependsOn: [], skills: [] },
  agent: 'ben',
  epoch: 1,
  repository: {
    directory: '/repo',
    base: 'a'.repeat(40),
    branch: 'mailroom/costs',
    run: 'r1r1',
    workDirectory: '/work',
  },
  start: 'c0',
  reviewersNeeded: 1,
  rounds: 2,
  reviewMinutes: 10,
  voteSeconds: 60,
};

interface Answer {
  readonly verdict: 'approved' | 'disagreement' | 'no-answer' | 'changes';
}

/** The exploration chooses the result of each activity. */
function neverRun(of: unknown): Promise<never> {
  return Promise.reject(new Error(`nothing is run for ${String(of)}`));
}

/** Ends as a review does, with the result of an activity that stands for the reviewers. */
const review = setup({
  types: {
    context: {} as { round: number; rounds: number; commit: string; outcome: string },
    events: {} as Revised,
    input: {} as ReviewInput,
  },
  actors: { answer: activity(({ round }: { readonly round: number }): Promise<Answer> => neverRun(round)) },
}).createMachine({
  id: 'review',
  context: ({ input }) => ({
    round: 1,
    rounds: input.rounds ?? 1,
    commit: input.change.commit ?? '',
    outcome: 'rounds-exhausted',
  }),
  initial: 'asking',
  states: {
    asking: {
      invoke: {
        src: 'answer',
        input: ({ context: { round } }) => ({ round }),
        onDone: [
          {
            guard: ({ event, context }) => event.output.verdict === 'changes' && context.round < context.rounds,
            target: 'revising',
          },
          { guard: ({ event }) => event.output.verdict === 'changes', target: 'over' },
          { target: 'over', actions: assign({ outcome: ({ event }) => event.output.verdict }) },
        ],
      },
    },
    revising: {
      entry: sendParent({ type: 'CHANGES-REQUESTED', round: 1, issues: [], feedback: 'No.' }),
      on: {
        REVISED: {
          target: 'asking',
          actions: assign({
            round: ({ context }) => context.round + 1,
            commit: ({ event }) => event.commit ?? '',
          }),
        },
      },
    },
    over: { type: 'final' },
  },
  output: ({ context: { outcome, commit, round } }) => ({
    outcome,
    change: { commit },
    rounds: round,
    feedback: [],
    gone: [],
    disagreements: outcome === 'disagreement' ? [{ issue: `${commit}.1`, topic: 'Policy', positions: [] }] : [],
  }),
});

const reviewed = change.provide({
  actors: {
    review: review as never,
    vote: activity(() => neverRun('vote')) as never,
  },
});

interface Context {
  /** Paid questions: to the author, reviewers and voters. */
  readonly questions: number;
  readonly commits: number;
  readonly end: string;
}

type Work = 'a new commit' | 'the same commit' | 'no commit';

/** Loop, distribution and author of a change in one machine. */
const loop = setup({
  types: { context: {} as Context, events: {} as FromChange, output: {} as string },
  actors: {
    change: reviewed,
    work: activity(({ question }: { readonly question: number }): Promise<Work> => neverRun(question)),
    merge: activity(({ question }: { readonly question: number }): Promise<string> => neverRun(question)),
  },
}).createMachine({
  id: 'loop',
  context: { questions: 0, commits: 0, end: '' },
  invoke: { id: 'change', src: 'change', input: INPUT },
  initial: 'preparing',
  on: {
    READY: '.working',
    'GO-ON': '.working',
    APPROVED: '.merging',
    STUCK: { target: '.over', actions: assign({ end: ({ event }) => `stuck: ${event.reason}` }) },
    STALLED: { target: '.over', actions: assign({ end: ({ event }) => `stalled: ${event.reason}` }) },
  },
  states: {
    preparing: {},
    waiting: {},
    working: {
      entry: assign({ questions: ({ context }) => context.questions + 1 }),
      invoke: {
        src: 'work',
        input: ({ context }) => ({ question: context.questions }),
        onDone: {
          target: 'waiting',
          actions: [
            assign({
              commits: ({ context, event }) => context.commits + (event.output === 'a new commit' ? 1 : 0),
            }),
            sendTo('change', ({ context, event }) => ({
              type: 'SUBMITTED',
              commit: event.output === 'no commit' ? null : `c${context.commits}`,
              summary: '',
              messageId: '',
              agents: ['cleo'],
            })),
          ],
        },
      },
    },
    merging: {
      invoke: {
        src: 'merge',
        input: ({ context }) => ({ question: context.questions }),
        onDone: [
          {
            guard: ({ event }) => event.output === 'merged',
            target: 'waiting',
            actions: [sendTo('change', { type: 'MERGED', commit: 'm' }), assign({ end: 'merged' })],
          },
          { target: 'waiting', actions: sendTo('change', { type: 'CONFLICT', files: ['a.ts'], with: 'h' }) },
        ],
      },
      on: { 'CHANGE-ENDED': 'over' },
    },
    over: { type: 'final' },
  },
  output: ({ context }) => context.end,
});

/** The results that each activity may have in addition to, or instead of, the usual one. */
type Possible = Readonly<Record<string, readonly unknown[]>>;

function everyWay(possible: Possible): { ends: string[]; questions: number } {
  let questions = 0;
  const all: Possible = {
    prepare: [{ directory: '/work/tasks/parser-1', branch: 'b', base: 'c' }],
    work: ['a new commit'],
    answer: [{ verdict: 'approved' }],
    merge: ['merged'],
    ...possible,
  };
  const found = explore({
    workflows: { loop: { machine: loop } },
    statesMax: 20_000,
    outcomes: ({ src, input }: ActivityUnderTest): readonly Outcome[] => {
      if (src !== 'check') return (all[src] ?? []).map((output) => ({ output }));
      const { commit } = input as { readonly commit: string };
      return [{ commit }, ...(all['check'] ?? [])].map((output) => ({ output }));
    },
    summarize: ({ workflows: { loop: seen } }) => {
      questions = Math.max(questions, (seen?.context as Context | undefined)?.questions ?? 0);
      return String((seen?.context as Context | undefined)?.end).replaceAll(/\bc\d+\b/g, 'a commit');
    },
  });
  console.log(`${found.states} states, at most ${questions} questions of the author`);
  expect(found.isComplete).toBe(true);
  expect([...found.violations, ...found.failedSteps, ...found.endless], formatExploration(found)).toEqual([]);
  return { ends: [...new Set(found.ends.map(({ summary }) => summary))].toSorted(), questions };
}

const voteOf = (option: string): object => ({ question: 'Policy', outcome: 'decided', option, votes: [], missing: [] });
const verdicts = (...all: readonly Answer['verdict'][]): Answer[] => all.map((verdict) => ({ verdict }));
const IN_VAIN = 'stuck: 3 times in a row nothing new was handed in: ';
const EXHAUSTED = 'stuck: all 2 rounds of its review are over and it is not approved';

it('ends however often its author hands in nothing new, or commits that cannot be reviewed', () => {
  const { ends, questions } = everyWay({
    work: ['a new commit', 'no commit'],
    check: [{ fault: 'there is no such commit' }],
    answer: verdicts('approved', 'changes'),
  });
  expect(ends).toEqual(['merged', `${IN_VAIN}no commit was named`, `${IN_VAIN}there is no such commit`, EXHAUSTED]);
  // In each of the two rounds, two submissions in vain and one that counts.
  expect(questions).toBe(2 * 3);
});

it('ends whatever reviewers and voters answer, and however often nobody does', () => {
  const { ends, questions } = everyWay({
    answer: verdicts('approved', 'disagreement', 'no-answer', 'changes'),
    vote: [voteOf('keep'), voteOf('change')],
  });
  expect(ends).toEqual([
    'merged',
    'stalled: a commit of ben waits for a review: cleo alone cannot approve it: 1 must',
    EXHAUSTED,
  ]);
  expect(questions).toBe(2);
});

it('ends however often it conflicts, as long as nothing else is merged', () => {
  const { ends, questions } = everyWay({
    work: ['a new commit', 'the same commit'],
    merge: ['merged', 'conflict'],
  });
  expect(ends).toEqual([
    'merged',
    `${IN_VAIN}a commit was handed in before; commit the requested changes and hand in the new commit, or return the task`,
    'stuck: its merge conflicted 3 times with the same commit h, in a.ts',
  ]);
  // One submission, and after each of two conflicts two in vain and one that counts.
  expect(questions).toBe(1 + 2 * 3);
});
