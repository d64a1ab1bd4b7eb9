import { raise, sendParent, setup } from 'xstate';
import { expect, test } from 'vitest';
import { storyColumns, formatStory } from '../../src/cli/print/story.ts';
import type { HistoryLine } from '../../src/history/explain.ts';
import { waitingFor } from '../../src/journal/describe.ts';
import { activity, command, tell } from '../../src/workflow.ts';
import { eventually, WorkflowRoom } from '../runtime/workflow-room.ts';

test('the history shows how activities, commands and children ended, and why a message was undeliverable', async () => {
  const child = setup({}).createMachine({
    id: 'child',
    context: () => {
      throw new TypeError('the child has no luck');
    },
  });
  const shell = (script: string) => command(() => ({ file: 'sh', args: ['-c', script] }));
  const machine = setup({
    actors: {
      child,
      throwing: activity(() => Promise.reject(new RangeError('too far\n  by a mile'))),
      failing: shell('exit 3'),
      killed: shell('kill -9 $$'),
      absent: command(() => ({ file: '/no/such/program', args: [] })),
    },
  }).createMachine({
    id: 'teller',
    initial: 'one',
    states: {
      one: { invoke: { src: 'throwing', onError: 'two' } },
      two: { invoke: { src: 'failing', onDone: 'three' } },
      three: { invoke: { src: 'killed', onDone: 'four' } },
      four: { invoke: { src: 'absent', onError: 'five' } },
      five: { invoke: { src: 'child', id: 'c', onError: 'six' } },
      six: { entry: tell('nobody', { type: 'INFO', content: '' }), on: { 'mailroom.delivery-failed': 'over' } },
      over: { type: 'final' },
    },
  });
  await using room = await WorkflowRoom.make();
  const { host, workflow } = await room.run(machine);
  await workflow.result;
  await host.close();
  const story = room.story('teller');
  const outcomes = story.flatMap(({ cause, outcome }) => (outcome === undefined ? [] : [[cause, outcome]]));
  expect(outcomes).toEqual([
    ['throwing failed', 'RangeError: too far\n  by a mile'],
    ['failing done', 'exit code 3'],
    ['killed done', 'ended by SIGKILL'],
    ['absent failed', expect.stringContaining('/no/such/program')],
    ['child c ended', 'TypeError: the child has no luck'],
    ['undeliverable to nobody', expect.stringContaining('Nobody has joined this room as nobody')],
  ]);
  const told = story.map((line) => formatStory(line)).join('');
  expect(told).toMatch(/throwing failed \(.*\) +one → two\n {22}RangeError: too far by a mile, took \d+s\n/);
});

test("an output that only resembles a command's result is shown as it is", async () => {
  const machine = setup({
    actors: {
      counting: activity(async () => ({ exitCode: 3, timedOut: false })),
      silent: activity(() => Promise.reject(Object.assign(new Error(''), { name: 'Silent' }))),
    },
  }).createMachine({
    id: 'teller',
    initial: 'one',
    states: {
      one: { invoke: { src: 'counting', onDone: 'two' } },
      two: { entry: raise({ type: 'RETRY', error: 'old news' }, { delay: 1 }), on: { RETRY: 'three' } },
      three: { invoke: { src: 'silent', onError: 'over' } },
      over: { type: 'final' },
    },
  });
  await using room = await WorkflowRoom.make();
  const { host, workflow } = await room.run(machine);
  await workflow.result;
  await host.close();
  const outcomes = room.story('teller').map(({ cause, outcome }) => [cause.split(' ')[0], outcome]);
  expect(outcomes.slice(2)).toEqual([
    ['counting', 'returned {"exitCode":3,"timedOut":false}'],
    ['timer', undefined],
    ['silent', 'Silent'],
  ]);
});

test('a timer is named by its event or its message, never by an effect id', async () => {
  const child = setup({}).createMachine({
    id: 'child',
    initial: 'a',
    states: { a: { entry: sendParent({ type: 'PING' }, { delay: 20 }), after: { 60_000: 'b' } }, b: {} },
  });
  const machine = setup({ actors: { child }, delays: { patience: 60_000 } }).createMachine({
    id: 'timed',
    initial: 'a',
    states: {
      a: {
        entry: [
          raise({ type: 'REMIND' }, { delay: 10 }),
          raise({ type: 'LATER' }, { delay: 50_000 }),
          tell('timed', { type: 'INFO', content: 'soon' }, { delay: 15 }),
          tell('timed', { type: 'BLOCKED', content: 'late' }, { delay: 55_000 }),
        ],
        invoke: { src: 'child', id: 'kid' },
        after: { patience: 'b' },
      },
      b: {},
    },
  });
  await using room = await WorkflowRoom.make();
  const { host } = await room.run(machine);
  const timers = (who: string): string[] =>
    room.story(who).flatMap(({ cause }) => (cause.startsWith('timer') ? [cause] : []));
  const kid = await eventually('the child is there', () => Object.values(room.state('timed')?.state?.calls ?? {})[0]);
  const address = kid.kind === 'machine' ? kid.address : '';
  await eventually('all timers of a moment are over', () => [...timers('timed'), ...timers(address)].length === 3);
  await host.close();
  expect(timers('timed')).toEqual(['timer REMIND', 'timer INFO']);
  expect(timers(address)).toEqual(['timer PING']);
  const state = room.state('timed')?.state;
  const waits = state ? waitingFor(state).flatMap((one) => (one.kind === 'timer' ? [one.name] : [])) : [];
  expect(waits).toEqual(['LATER', 'BLOCKED', 'after patience']);
});

test('the history shows when work started, how long it took, and which work was ended because it was no longer awaited', async () => {
  const machine = setup({
    actors: {
      quick: activity(async () => 'what it found'),
      endless: activity((_input, { signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve))),
    },
  }).createMachine({
    id: 'worker',
    initial: 'a',
    states: { a: { invoke: [{ src: 'quick', onDone: 'b' }, { src: 'endless' }] }, b: { type: 'final' } },
  });
  await using room = await WorkflowRoom.make();
  const { host, workflow } = await room.run(machine);
  await workflow.result;
  await host.close();
  const story = room.story('worker');
  const [, begun, ended] = story;
  expect(begun?.started).toMatchObject([{ kind: 'activity', src: 'quick', startedAt: begun?.at }, { src: 'endless' }]);
  expect(ended).toMatchObject({
    cause: 'quick done',
    outcome: 'returned "what it found"',
    startedAt: begun?.at,
    givenUp: [{ kind: 'activity', src: 'endless', startedAt: begun?.at }],
  });
  const told = story.map((line) => formatStory(line)).join('');
  expect(told).toMatch(/ started activity quick \(\w+\.1\.0\)\n +started activity endless/);
  expect(told).toMatch(
    / returned "what it found", took \d+s\n +ended activity endless .*, started \d{4}-.*Z: no longer needed/,
  );
});

test('steps are numbered without gaps, and columns hold numbers of any length', async () => {
  const machine = setup({}).createMachine({ id: 'm', initial: 'a', states: { a: {} } });
  await using room = await WorkflowRoom.make();
  for (let host = 0; host < 3; host++) await (await room.run(machine)).host.close();
  const story = room.story('m');
  expect(story.map(({ step }) => step)).toEqual(story.map((_, index) => index + 1));
  // The journal has records between them that show nothing: the progress of a host when it closed.
  expect(story.at(-1)?.seq).toBeGreaterThan(story.length);
  const [first] = story;
  const long = [1, 99_999, 1_234_567].map((step): HistoryLine => ({
    ...(first as HistoryLine),
    step,
    cause: `c${step}`,
  }));
  const columns = storyColumns(long);
  const lines = long.map((line) => formatStory(line, { columns }));
  expect(lines.map((line) => /^#\d+ +(?=\d{4}-)/.exec(line)?.[0].length)).toEqual([10, 10, 10]);
  expect(new Set(lines.map((line) => line.indexOf('machine m'))).size).toBe(1);
});
