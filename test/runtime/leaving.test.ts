import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { z } from 'zod';
import { nodeHost } from '../../src/host/node-host.ts';
import { contextOf } from '../../src/room/room.ts';
import { runWorkflow, WorkflowHost } from '../../src/runtime.ts';
import { accepts } from '../../src/workflow.ts';
import { counter } from './machines.ts';
import { eventually, WorkflowRoom } from './workflow-room.ts';

const child = setup({}).createMachine({ id: 'child', initial: 'over', states: { over: { type: 'final' } }, output: 7 });
const parent = setup({ actors: { child }, delays: { atOnce: 0 } }).createMachine({
  id: 'parent',
  invoke: { src: 'child', id: 'first', onError: '.failed' },
  initial: 'one',
  states: {
    one: { after: { atOnce: 'two' } },
    two: { invoke: { src: 'child', id: 'second', onDone: 'over', onError: 'failed' } },
    over: { type: 'final' },
    failed: {},
  },
});

test('a host that closes at the record that starts a child, while it opens another child, refuses no start', async () => {
  await using world = await WorkflowRoom.make({ durability: 'power' });
  const leaving = new AbortController();
  const left = await runWorkflow(await world.open(), parent, {
    signal: leaving.signal,
    onRecord: (_address, record) => {
      if ('commit' in record && 'second' in record.commit.state.calls) leaving.abort();
    },
  });
  expect(left).toEqual({ status: 'left' });
  expect(await runWorkflow(await world.open(), parent)).toMatchObject({ status: 'done' });
});

test('a closed host blocks no other host, even while its process lives', async () => {
  await using world = await WorkflowRoom.make();
  const first = await world.open();
  const host = new WorkflowHost(first);
  await host.run(parent, { address: 'kept' });
  await host.close();
  // As another process, which sees that the first one is alive.
  const other = await world.open();
  const self = contextOf(first).host.processes.self();
  const processes = { ...contextOf(other).host.processes, self: () => ({ ...self, startTime: `${self.startTime}0` }) };
  const elsewhere = await world.open({ ...contextOf(other).host, processes });
  expect(await runWorkflow(elsewhere, parent, { address: 'kept' })).toMatchObject({ status: 'done' });
});

test('a workflow without a host keeps its address from agents, and an agent that has taken it keeps it from the workflow', async () => {
  // An agent that joined under the address took the mail of the workflow, which could not go on then.
  await using world = await WorkflowRoom.make();
  const { host } = await world.run(counter);
  await host.close();
  // As another process, when that of the host has ended.
  const processes = { ...nodeHost.processes, isAlive: () => false };
  const joining = await world.open({ ...nodeHost, processes });
  const refused = {
    code: 'CONFLICT',
    message: expect.stringContaining('counter is in use by a workflow') as string,
    hint: 'Choose another name, or take the address from it with --take-over.',
  };
  const other = { ...contextOf(joining).host.processes.self(), pid: process.ppid, startTime: '' };
  await expect(joining.join('counter', { process: other })).rejects.toMatchObject(refused);
  await joining.join('counter', { process: other, takeOver: true });
  await expect(world.run(counter)).rejects.toMatchObject({
    message: expect.stringContaining('counter is in use by a live agent') as string,
    hint: 'Run it under another address with --as, or take the address from it with --take-over.',
  });
  const { host: second } = await world.run(counter, { takeOver: true });
  await second.close();
  expect(world.story('counter').filter(({ verdict }) => verdict === 'opened')).toHaveLength(2);
});

test('a host that is closed while it opens a workflow releases it, and a closed host runs none', async () => {
  // It kept taking steps, in a host that reported that it had released everything.
  const waiting = setup({ schemas: accepts({ GO: z.unknown() }) }).createMachine({
    id: 'waiting',
    initial: 'one',
    states: { one: { on: { GO: 'two' } }, two: { type: 'final' } },
  });
  await using world = await WorkflowRoom.make();
  const opened = await world.open();
  const alice = await opened.join('alice');
  for (const hasBegun of [false, true]) {
    const host = new WorkflowHost(opened);
    const running = host.run(waiting);
    await host.close();
    const { result } = await running;
    expect(await result).toEqual({ status: 'left' });
    expect(world.state('waiting')?.isClosed).toBe(true);
    await expect(host.run(waiting)).rejects.toMatchObject({ code: 'CONFLICT' });
    if (hasBegun) continue;
    await using next = new WorkflowHost(opened);
    await next.run(waiting);
    await eventually('it has begun', () => world.state('waiting')?.state);
  }
  await alice.send({ to: 'waiting', type: 'GO', content: '' });
  expect(await runWorkflow(opened, waiting)).toMatchObject({ status: 'done' });
  // A closed host has opened and committed nothing.
  const takers = world.journal('waiting').filter((entry) => 'open' in entry);
  expect(takers).toHaveLength(4);
});

test('an ended workflow can be run again in the same host, and a running one cannot', async () => {
  // Its host kept it open, so it was reported as run by another host, which was this one.
  await using world = await WorkflowRoom.make();
  await using host = new WorkflowHost(await world.open());
  const alice = await (await world.open()).join('alice');
  for (const again of [false, true]) {
    const { result } = await host.run(counter, { again });
    await expect(host.run(counter)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/this process/),
    });
    await alice.send({ to: 'counter', type: 'FINISH', content: '' });
    expect(await result).toMatchObject({ status: 'done' });
    expect(await (await host.run(counter)).result).toMatchObject({ status: 'done' });
  }
  const starts = world.story('counter').filter(({ cause }) => cause.startsWith('started'));
  expect(starts).toHaveLength(2);
});
