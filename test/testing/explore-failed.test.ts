import { assign, setup } from 'xstate';
import { expect, test } from 'vitest';
import { assertEnds, explore, formatExploration } from '../../src/testing.ts';
import { activity } from '../../src/workflow.ts';

const kid = setup({}).createMachine({
  id: 'kid',
  initial: 'a',
  states: { a: { after: { 1: 'b' } }, b: { type: 'final' } },
});

/** Fails at its timer, or at the end of its child, while the other and an activity are under way. */
const fragile = (at: 'timer' | 'child') => {
  const actions = assign({
    n: () => {
      throw new Error('no luck');
    },
  }) as never;
  return setup({
    types: { context: {} as { n: number } },
    actors: { kid, work: activity(async () => 1) },
  }).createMachine({
    id: 'm',
    context: { n: 0 },
    initial: 'a',
    states: {
      a: {
        invoke: [
          { src: 'kid', id: 'kid', onDone: at === 'child' ? { actions } : {} },
          { src: 'work', onDone: {} },
        ],
        after: { 5: at === 'timer' ? { target: 'b', actions } : 'b' },
      },
      b: { type: 'final' },
    },
  });
};

const outcomes = () => [{ output: 1 }];

test.each(['timer', 'child'] as const)(
  'a workflow that fails at its %s ends FAILED; its children end, and what is for it waits',
  (at) => {
    const explored = explore({ workflows: { m: { machine: fragile(at) } }, outcomes });
    const summaries = explored.ends.map(({ summary }) => summary);
    expect(summaries).toContain('m: a (FAILED)');
    expect([explored.isComplete, explored.endless, explored.deadLetters]).toEqual([true, [], []]);
    expect(explored.failedSteps.map(({ error }) => error)).toContain('no luck');
    const [end] = explored.ends.filter(({ summary }) => summary === 'm: a (FAILED)');
    expect(end?.workflows['m']).toMatchObject({ status: 'failed', error: { message: 'no luck' } });
    expect(end?.path.at(-1)).toMatch(/FAILED|kid/);
    expect(() => assertEnds(explored, ['m: b (done)', 'm: a (FAILED)'])).toThrow(/A step fails/);
    expect(formatExploration(explored)).toContain('(FAILED: no luck)');
  },
);

test('a STOP ends it there, too, and nothing is left', () => {
  const agents = { system: { sends: [{ to: 'm', type: 'STOP', always: true }] } };
  const explored = explore({ workflows: { m: { machine: fragile('timer') } }, agents, outcomes });
  expect(explored.ends.map(({ summary }) => summary)).toEqual(['m: a (stopped)']);
  expect(explored.deadLetters).toEqual([]);
});
