import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { z } from 'zod';
import { nodeHost } from '../../src/host/node-host.ts';
import type { Host } from '../../src/host/host.ts';
import { readCard } from '../../src/room/card.ts';
import { contextOf } from '../../src/room/room.ts';
import type { WorkflowHost } from '../../src/runtime.ts';
import { accepts, tell } from '../../src/workflow.ts';
import { eventually, texts, WorkflowRoom } from './workflow-room.ts';

const child = setup({ schemas: accepts({ GO: z.unknown() }) }).createMachine({
  id: 'child',
  initial: 'waiting',
  states: { waiting: { on: { GO: 'over' } }, over: { type: 'final' } },
});

/** A host on which one call at a path fails as on a full disk, for as long as `fails` says so. */
function failing(call: 'mkdir' | 'link' | 'open', fails: (path: string) => boolean): Host {
  const { files } = nodeHost;
  const refuse = (path: string): void => {
    if (fails(path)) throw Object.assign(new Error(`ENOSPC: no space left on device, ${path}`), { code: 'ENOSPC' });
  };
  return {
    ...nodeHost,
    files: {
      ...files,
      mkdir: (path, ...more) => {
        if (call === 'mkdir') refuse(path);
        return files.mkdir(path, ...more);
      },
      open: (path, ...more) => {
        if (call === 'open') refuse(path);
        return files.open(path, ...more);
      },
      link: (existing, created) => {
        if (call === 'link') refuse(created);
        files.link(existing, created);
      },
    },
  };
}

test.each(['process', 'power'] as const)(
  'a child that is ended and started again under its systemId while it is being opened is started twice (%s)',
  async (durability) => {
    // The opened child knew only the first start: the second was refused, and its parent waited for ever.
    const parent = setup({ actors: { child }, delays: { atOnce: 0 } }).createMachine({
      id: 'parent',
      initial: 'one',
      states: {
        one: { invoke: { id: 'c', src: 'child', systemId: 'shared' }, after: { atOnce: 'two' } },
        two: { invoke: { id: 'c', src: 'child', systemId: 'shared', onDone: 'over' } },
        over: { type: 'final' },
      },
    });
    await using room = await WorkflowRoom.make({ durability });
    const alice = await (await room.open()).join('alice');
    const { host, workflow } = await room.run(parent);
    await eventually('the second start', () => {
      const { state } = room.state('parent') ?? {};
      return state?.steps === 2 && room.state('shared')?.state?.incarnation === state.calls['c']?.effectId;
    });
    await alice.send({ to: 'shared', type: 'GO', content: '' });
    expect(await workflow.result).toMatchObject({ status: 'done' });
    await host.close();
    const told = room.story('shared').map(({ cause, verdict }) => `${cause} ${verdict}`);
    expect(told.filter((line) => line.startsWith('started'))).toHaveLength(2);
    expect(told.filter((line) => /not believed|refused/.test(line))).toEqual([]);
  },
);

const finishMail = accepts({ FINISH: z.unknown() });

test("--again starts a child at an address where the previous run's child has not got its STOP yet", async () => {
  // The child was opened twice at once, as the old one and as the new one, and the new run was refused as taken.
  const parent = setup({ schemas: finishMail, actors: { child } }).createMachine({
    id: 'parent',
    initial: 'waiting',
    states: {
      waiting: {
        invoke: { id: 'c', src: 'child', onDone: 'done', onError: 'failed' },
        on: { FINISH: 'finished' },
      },
      finished: { type: 'final' },
      done: { type: 'final' },
      failed: { type: 'final' },
    },
  });
  await using room = await WorkflowRoom.make();
  const alice = await (await room.open()).join('alice');
  let links = 0;
  const onlyStart = failing('link', (path) => path.includes('/actors/parent.c-1/mailbox/new/') && ++links > 1);
  const first = await room.run(parent, { on: onlyStart });
  const former = await eventually('the child', () => room.state('parent.c-1')?.state?.incarnation);
  await alice.send({ to: 'parent', type: 'FINISH', content: '' });
  await eventually('the end', () => room.state('parent')?.state?.status === 'done');
  await first.host.close();
  expect([room.state('parent')?.undelivered.size, room.state('parent.c-1')?.state?.status]).toEqual([1, 'active']);

  const again = await room.run(parent, { again: true });
  await eventually('the new child', () => {
    const { incarnation, status } = room.state('parent.c-1')?.state ?? {};
    return incarnation !== former && status === 'active';
  });
  await alice.send({ to: 'parent.c-1', type: 'GO', content: '' });
  await again.workflow.result;
  await again.host.close();
  expect(room.snapshot('parent').value).toBe('done');
});

const cancelMail = accepts({ BEGIN: z.unknown(), CANCEL: z.unknown(), FINISH: z.unknown() });

test.each([{ has: 'the child' }, { has: 'no such child any more' }])(
  'a child that is given up before its mailbox is there, and left so, is no refused mail to its parent, whose code has $has',
  async ({ has }) => {
    // The next host found no recipient for START and STOP, and the machine got `mailroom.delivery-failed` for both.
    const machineOf = (actors: object) =>
      setup({ schemas: cancelMail, actors: actors as { child: typeof child } }).createMachine({
        id: 'parent',
        initial: 'idle',
        on: { 'mailroom.delivery-failed': '.refused' },
        states: {
          idle: { on: { BEGIN: 'busy' } },
          busy: { ...('child' in actors ? { invoke: { id: 'c', src: 'child' } } : {}), on: { CANCEL: 'cancelled' } },
          cancelled: { on: { FINISH: 'finished' } },
          finished: { type: 'final' },
          refused: { type: 'final' },
        },
      });
    await using room = await WorkflowRoom.make();
    const alice = await (await room.open()).join('alice');
    const noMailbox = failing('mkdir', (path) => path.includes('/actors/parent.c-2'));
    const first = await room.run(machineOf({ child }), { on: noMailbox });
    for (const [steps, type] of ['BEGIN', 'CANCEL'].entries()) {
      await alice.send({ to: 'parent', type, content: '' });
      await eventually(type, () => room.state('parent')?.state?.steps === steps + 2);
    }
    await first.host.close();
    expect(room.state('parent')?.undelivered.size).toBe(2);

    const isThere = has === 'the child';
    const again = await room.run(machineOf(isThere ? { child } : {}), { acceptChanged: true });
    await eventually('both have reached their end', () => room.state('parent')?.undelivered.size === 0);
    // If the code still has the child, it is started and stopped, as without the interruption.
    if (isThere) await eventually('its end', () => room.state('parent.c-2')?.state?.status === 'stopped');
    await alice.send({ to: 'parent', type: 'FINISH', content: '' });
    await again.workflow.result;
    await again.host.close();
    expect(room.snapshot('parent').value).toBe('finished');
  },
);

test('an ended workflow runs again with code that no longer has the child whose STOP did not arrive', async () => {
  const machineOf = (output: string, actors: object) =>
    setup({ schemas: finishMail, actors: actors as { child: typeof child } }).createMachine({
      id: 'parent',
      initial: 'child' in actors ? 'waiting' : 'finished',
      states: {
        waiting: { ...('child' in actors ? { invoke: { id: 'c', src: 'child' } } : {}), on: { FINISH: 'finished' } },
        finished: { type: 'final' },
      },
      output: () => output,
    });
  await using room = await WorkflowRoom.make();
  const alice = await (await room.open()).join('alice');
  let links = 0;
  const onlyStart = failing('link', (path) => path.includes('/actors/parent.c-1/mailbox/new/') && ++links > 1);
  const first = await room.run(machineOf('old', { child }), { on: onlyStart });
  await eventually('the child', () => room.state('parent.c-1')?.state);
  await alice.send({ to: 'parent', type: 'FINISH', content: '' });
  await eventually('the end', () => room.state('parent')?.state?.status === 'done');
  await first.host.close();

  for (const [again, output] of [
    [false, 'old'],
    [true, 'new'],
  ] as const) {
    const { host, workflow } = await room.run(machineOf('new', {}), { again });
    expect(await workflow.result).toEqual({ status: 'done', output });
    await host.close();
  }
  // It gets its STOP from the first host whose code has it.
  const last = await room.run(machineOf('old', { child }));
  await eventually('the end of the child', () => room.state('parent.c-1')?.state?.status === 'stopped');
  await last.host.close();
});

/** As another live process. */
const elsewhere: Host = {
  ...nodeHost,
  processes: {
    ...nodeHost.processes,
    self: () => ({ ...nodeHost.processes.self(), startTime: '1' }),
    isAlive: () => true,
  },
};

test("a takeover of a workflow includes its children, but no other actor at a child's address", async () => {
  const beginMail = accepts({ BEGIN: z.unknown() });
  const parent = setup({ schemas: beginMail, actors: { child } }).createMachine({
    id: 'parent',
    initial: 'waiting',
    invoke: { id: 'c', src: 'child', systemId: 'helper' },
    states: {
      waiting: { on: { BEGIN: 'starting' } },
      starting: { invoke: { id: 'd', src: 'child', systemId: 'alice', onError: 'refused' } },
      refused: { type: 'final' },
    },
  });
  await using room = await WorkflowRoom.make();
  const opened = await room.open(elsewhere);
  const alice = await opened.join('alice', { program: 'claude' });
  const first = await room.run(parent, { on: elsewhere });
  await eventually('the child', () => room.state('helper')?.state);
  const here: Host = { ...nodeHost, processes: { ...nodeHost.processes, isAlive: () => true } };
  const taking = await room.run(parent, { on: here, takeOver: true });
  await eventually('the child is here', () => room.journal('helper').filter((entry) => 'open' in entry).length === 2);
  await alice.send({ to: 'parent', type: 'BEGIN', content: '' });
  await taking.workflow.result;
  expect(room.snapshot('parent').value).toBe('refused');
  expect(readCard(nodeHost, contextOf(opened).layout, 'alice')).toMatchObject({ kind: 'agent', program: 'claude' });
  await taking.host.close();
  await first.host.close();
});

test.each([{ isOpened: 'late' }, { isOpened: 'at the second try' }])(
  'what a child left undone that is opened $isOpened is done before the end of its parent is a result',
  async ({ isOpened }) => {
    // Its parent took its END and was complete while the child was still being opened, and the host was closed.
    const teller = setup({}).createMachine({
      id: 'teller',
      initial: 'over',
      states: { over: { entry: tell('bob', { type: 'INFO', content: 'news' }), type: 'final' } },
    });
    const parent = setup({ actors: { teller } }).createMachine({
      id: 'parent',
      initial: 'waiting',
      states: { waiting: { invoke: { id: 'c', src: 'teller', onDone: 'over' } }, over: { type: 'final' } },
    });
    await using room = await WorkflowRoom.make();
    const bob = await (await room.open()).join('bob');
    const hosts: WorkflowHost[] = [];
    let isHeard = false;
    const leaving = failing('link', (path) => {
      if (path.includes('/actors/parent/mailbox/new/')) {
        isHeard = true;
        void hosts[0]?.close();
      }
      return path.includes('/actors/bob/mailbox/');
    });
    const first = await room.run(parent, { on: leaving });
    hosts.push(first.host);
    await eventually('the END', () => isHeard);
    await first.host.close();
    expect(room.state('parent')?.state?.status).toBe('active');
    expect(room.state('parent.c-1')).toMatchObject({ state: { status: 'done' }, undelivered: { size: 1 } });

    let tries = 0;
    const later = failing('open', (path) => path.includes('/actors/parent.c-1/journal') && ++tries === 1);
    const second = await room.run(parent, isOpened === 'late' ? {} : { on: later });
    expect(await second.workflow.result).toMatchObject({ status: 'done' });
    await second.host.close();
    expect(texts(bob)).toEqual(['INFO news']);
    expect(room.state('parent.c-1')?.undelivered.size).toBe(0);
  },
);
