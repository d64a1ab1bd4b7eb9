import { expect, test } from 'vitest';
import { assign, sendTo, setup } from 'xstate';
import { machine as distributor } from '../../machines/work-distributor.ts';
import type { ToParent } from '../../machines/work-distributor/parent.ts';
import type { DistributionReport } from '../../machines/work-distributor/report.ts';
import { checkMachine } from '../../src/step/check-machine.ts';
import type { Message } from '../../src/index.ts';
import { explore } from '../../src/testing/explore/explore.ts';
import { formatExploration } from '../../src/testing/explore/report.ts';
import type { AgentAnswer } from '../../src/testing/explore/system.ts';

const PLAN = { tasks: [{ id: 'parser', title: 'Parse', description: 'Parse it.' }] };
const FIX = { id: 'fix', title: 'Mend it', description: 'Mend it.', dependsOn: ['parser'] };

interface Context {
  readonly reworked: number;
  readonly report: DistributionReport | null;
}

/** Asks for rework of each first result, and adds one task after the first. */
const loop = setup({
  types: { context: {} as Context, events: {} as ToParent, output: {} as DistributionReport | null },
  actors: { distributor },
}).createMachine({
  id: 'loop',
  context: { reworked: 0, report: null },
  initial: 'implementing',
  states: {
    implementing: {
      invoke: {
        id: 'work',
        src: 'distributor',
        input: { plan: PLAN, agents: ['alice'], acceptance: 'parent', staysOpen: true },
        onDone: { target: 'over', actions: assign({ report: ({ event }) => event.output }) },
      },
      on: {
        'TASK-CLAIMED': {
          actions: sendTo('work', ({ event }) => ({
            type: 'ASSIGN',
            taskId: event.task.id,
            epoch: event.epoch,
            workspace: { directory: `/tmp/${event.task.id}`, branch: event.task.id, base: 'main' },
          })),
        },
        'TASK-COMPLETED': [
          {
            guard: ({ context, event }) => context.reworked === 0 && event.task.id === 'parser',
            actions: [
              sendTo('work', ({ event }) => ({
                type: 'REWORK',
                taskId: event.task.id,
                epoch: event.epoch,
                feedback: 'Again.',
              })),
              assign({ reworked: 1 }),
            ],
          },
          { actions: sendTo('work', ({ event }) => ({ type: 'ACCEPTED', taskId: event.task.id, epoch: event.epoch })) },
        ],
        'TASKS-SETTLED': [
          {
            guard: ({ event }) => event.tasks.length === 1,
            actions: sendTo('work', { type: 'ADD-TASKS', tasks: [FIX] }),
          },
          { actions: sendTo('work', { type: 'FINISH' }) },
        ],
        'TASK-RELEASED': {},
      },
    },
    over: { type: 'final' },
  },
  output: ({ context }) => context.report,
});

/** Claims tasks offered for the first time and does them; its leases may end before. */
function agent({ data }: Message): AgentAnswer[] | undefined {
  const { kind, tasks, taskId, epoch } = data as {
    kind: string;
    tasks: { id: string; epoch: number }[];
    taskId: string;
    epoch: number;
  };
  const fresh = kind === 'available' ? tasks.find((task) => task.epoch === 1) : undefined;
  if (fresh) return [{ type: 'CLAIM', content: fresh.id }];
  if (kind === 'start' || kind === 'rework') return [{ type: 'COMPLETED', data: { taskId, epoch } }];
  return undefined;
}

test('a parent and its distribution end together for every order of events', () => {
  checkMachine(loop);
  const found = explore({
    workflows: { loop: { machine: loop } },
    agents: { alice: { answers: agent } },
    statesMax: 60_000,
    summarize: ({ workflows: { loop: seen } }) => {
      const report = seen?.output as DistributionReport | null | undefined;
      const tasks = report?.tasks.map(({ id, state, epoch }) => `${id} ${state} (${epoch})`) ?? [];
      return `${report?.outcome}: ${tasks.join(', ')}`;
    },
  });
  console.log(`${found.states} states of a parent and its distribution looked at`);
  expect(found.isComplete).toBe(true);
  expect([...found.violations, ...found.failedSteps, ...found.endless], formatExploration(found)).toEqual([]);
  const ends = found.ends.map(({ summary }) => summary);
  // If a lease ended, nobody claims the task again.
  expect(ends).toContain('time-over: parser available (2)');
  // In the other end, the time was over before the parent added its task.
  const others = ends.filter((end) => !end.startsWith('time-over: ')).toSorted();
  expect(others).toEqual(['done: parser done (1)', 'done: parser done (1), fix done (1)']);
});
