import { raise, setup } from 'xstate';
import { expect, test } from 'vitest';
import { storyText } from '../../src/cli/story-text.ts';
import { activity, command, tell } from '../../src/workflow.ts';
import { WorkflowRoom } from './workflow-room.ts';

test('the story says how activities, commands and children ended, and why a message came back', async () => {
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
  const told = story.map((line) => storyText(line)).join('');
  expect(told).toMatch(/throwing failed \(.*\) +one → two\n {14}RangeError: too far by a mile\n/);
});

test('what only looks like an outcome is none', async () => {
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
    ['counting', undefined],
    ['timer', undefined],
    ['silent', 'Silent'],
  ]);
});
