import { assign, sendParent, setup } from 'xstate';
import { z } from 'zod';
import { expect, test } from 'vitest';
import { listWorkflows } from '../../src/journal/list.ts';
import { replayWorkflow } from '../../src/history/replay.ts';
import { stopWorkflow } from '../../src/history/stop.ts';
import { WorkflowFailed } from '../../src/index.ts';
import { contextOf } from '../../src/room/room.ts';
import { accepts, activity, ask, tell } from '../../src/workflow.ts';
import { eventually, WorkflowRoom } from './workflow-room.ts';

// A step that threw at anything but a message consumed its cause and changed nothing. The workflow waited for ever for a timer
// that had fired, or a result that had come; a parent waited for the end of a child that had thrown.

const mail = accepts({ NOTE: z.unknown() });

interface Fault {
  readonly boom: boolean;
}

function throwing({ boom }: Fault): () => string {
  return () => {
    if (boom) throw new RangeError('no luck');
    return 'luck';
  };
}

const kid = setup({}).createMachine({ id: 'kid', initial: 'a', states: { a: { type: 'final' } } });
const sayer = setup({}).createMachine({ id: 'sayer', entry: sendParent({ type: 'SAID' }) });

/** Starts, and completes what it waits for only if no step throws; counts the notes that it gets meanwhile. */
function machineOf(cause: string, fault: Fault) {
  const go = { target: 'over', actions: assign({ heard: throwing(fault) }) as never } as const;
  const states = {
    timer: { after: { 1: go } },
    activity: { invoke: { src: 'work', onDone: go } },
    'failed activity': { invoke: { src: 'broken', onError: go } },
    answer: { invoke: { src: 'question', id: 'q', onDone: go } },
    child: { invoke: { src: 'kid', id: 'kid', onDone: go } },
    'event of a child': { invoke: { src: 'sayer', id: 'sayer' }, on: { SAID: go } },
    undeliverable: { entry: tell('nobody', { type: 'INFO', content: '' }), on: { 'mailroom.delivery-failed': go } },
  };
  return setup({
    schemas: mail,
    types: { context: {} as { heard: string; notes: number } },
    actors: {
      kid,
      sayer,
      work: activity(async () => 1),
      broken: activity(async () => Promise.reject(new Error('broken'))),
      question: ask('bob', { question: () => ({ type: 'QUESTION', content: '?' }) }),
    },
  }).createMachine({
    id: 'm',
    context: { heard: 'nothing', notes: 0 },
    initial: 'waiting',
    on: { NOTE: { actions: assign({ notes: ({ context }) => context.notes + 1 }) } },
    states: { waiting: states[cause as keyof typeof states] as never, over: { type: 'final' } },
    output: ({ context }) => context,
  });
}

const CAUSES = ['timer', 'activity', 'failed activity', 'answer', 'child', 'event of a child', 'undeliverable'];

test.each(CAUSES)('a step that throws at its %s makes the workflow FAILED, and can be retried', async (cause) => {
  await using room = await WorkflowRoom.make();
  const opened = await room.open();
  const [alice, bob] = [await opened.join('alice'), await opened.join('bob')];
  const broken = machineOf(cause, { boom: true });
  const { host, workflow } = await room.run(broken);
  if (cause === 'answer') {
    const [question] = await eventually('the question is there', () => {
      const { unsettled } = bob.list();
      return unsettled.length > 0 && unsettled;
    });
    const { id, threadId } = question?.message ?? {};
    await bob.send({ to: 'm', type: 'INFO', content: 'yes', replyTo: id, threadId });
  }
  const failure = await workflow.result.then(
    () => undefined,
    (error: unknown) => error as WorkflowFailed,
  );
  expect(failure).toBeInstanceOf(WorkflowFailed);
  expect(failure).toMatchObject({
    code: 'WORKFLOW_FAILED',
    address: 'm',
    error: { message: expect.stringContaining('no luck') },
  });
  expect(failure?.place).toMatch(/test\/runtime\/failed\.slow\.test\.ts:\d+:\d+$/);
  // Its mail waits.
  const { id: noteId } = await alice.send({ to: 'm', type: 'NOTE', content: '' });
  await host.close();
  const before = room.state('m')?.state;
  expect(before).toMatchObject({ status: 'active', failed: { failure: { name: 'RangeError' } } });
  expect(listWorkflows(opened, 'm')[0]?.waitingFor).toEqual([]);
  // Another host changes nothing, and reports it at once.
  const again = await room.run(broken);
  await expect(again.workflow.result).rejects.toMatchObject({ code: 'WORKFLOW_FAILED' });
  await again.host.close();
  expect(room.state('m')?.state).toEqual(before);
  expect(room.status(noteId)[0]?.state).toBe('delivered');
  // The same fault again.
  const retried = await room.run(broken, { retryFailed: true });
  await expect(retried.workflow.result).rejects.toMatchObject({ code: 'WORKFLOW_FAILED' });
  await retried.host.close();
  expect(room.journal('m').filter((entry) => 'failed' in entry)).toHaveLength(2);
  const mended = machineOf(cause, { boom: false });
  const last = await room.run(mended, { retryFailed: true });
  expect(await last.workflow.result).toEqual({ status: 'done', output: { heard: 'luck', notes: 0 } });
  await last.host.close();
  const seqs = room.journal('m').flatMap((entry) => ('failed' in entry ? [entry.seq] : []));
  const differing = replayWorkflow(opened, 'm', broken)?.divergences.map(({ seq }) => seq) ?? seqs;
  expect(differing.filter((seq) => seqs.includes(seq))).toEqual([]);
  expect(differing.length).toBeGreaterThan(0);
  const { undelivered, unperformed, state } = room.state('m') ?? {};
  expect([undelivered?.size, unperformed?.length, state?.failed]).toEqual([0, 0, undefined]);
});

test.each([true, false])(
  'a child that throws at its timer ends in that error, of which its parent hears (handled: %s)',
  async (isHandled) => {
    const low = setup({}).createMachine({ id: 'low', entry: sendParent({ type: 'UP' }) });
    const child = setup({ actors: { low }, types: { context: {} as { heard: string } } }).createMachine({
      id: 'child',
      context: { heard: '' },
      invoke: { src: 'low', id: 'low' },
      initial: 'a',
      states: { a: { on: { UP: 'b' } }, b: { after: { 1: { actions: assign({ heard: throwing({ boom: true }) }) } } } },
    });
    const parent = setup({ types: { context: {} as { heard: unknown } }, actors: { child } }).createMachine({
      id: 'parent',
      context: { heard: null },
      initial: 'a',
      states: {
        a: {
          invoke: {
            src: 'child',
            id: 'child',
            ...(isHandled ? { onError: { target: 'b', actions: assign({ heard: ({ event }) => event.error }) } } : {}),
          },
        },
        b: { type: 'final' },
      },
      output: ({ context }) => context.heard,
    });
    await using room = await WorkflowRoom.make();
    const { host, workflow } = await room.run(parent);
    const error = { name: 'RangeError', message: expect.stringContaining('no luck') as string };
    expect(await workflow.result).toEqual(isHandled ? { status: 'done', output: error } : { status: 'error', error });
    await host.close();
    const [ended] = [room.state('parent.child-1')?.state];
    expect(ended).toMatchObject({ status: 'error', error, calls: {}, timers: {} });
    expect(room.state('parent.child-1.low-1')?.state?.status).toBe('stopped');
  },
);

/** Fails at once at a timer, while a child and an activity run; `runs` counts how often the activity was begun. */
function keeping(runs: { count: number }, fault: Fault, release: Promise<void>) {
  const child = setup({ schemas: accepts({ GO: z.unknown() }) }).createMachine({
    id: 'child',
    initial: 'a',
    states: { a: { on: { GO: 'b' } }, b: { type: 'final' } },
  });
  const slow = activity(async () => {
    runs.count += 1;
    await release;
    return 'slow';
  });
  const begun = activity(async () => eventually('the activity runs', () => runs.count > 0));
  return setup({ types: { context: {} as { got: unknown } }, actors: { child, slow, begun } }).createMachine({
    id: 'm',
    context: { got: null },
    initial: 'both',
    states: {
      both: {
        type: 'parallel',
        states: {
          one: {
            initial: 'a',
            states: {
              a: { invoke: { src: 'begun', onDone: 'b' } },
              b: { after: { 1: { target: 'c', actions: assign({ got: throwing(fault) }) } } },
              c: { type: 'final' },
            },
          },
          two: {
            initial: 'a',
            states: {
              a: { invoke: { src: 'child', id: 'child', systemId: 'kid', onDone: 'b' } },
              b: { type: 'final' },
            },
          },
          three: {
            initial: 'a',
            states: { a: { invoke: { src: 'slow', id: 'slow', onDone: 'b' } }, b: { type: 'final' } },
          },
        },
        onDone: 'over',
      },
      over: { type: 'final' },
    },
    output: ({ context }) => context.got,
  });
}

test("while a workflow is FAILED, its child and its host's other workflows keep running, and its mail waits", async () => {
  await using room = await WorkflowRoom.make();
  const opened = await room.open();
  const alice = await opened.join('alice');
  const runs = { count: 0 };
  let resolve = (): void => {};
  const promise = new Promise<void>((go) => (resolve = go));
  const { host, workflow } = await room.run(keeping(runs, { boom: true }, promise));
  await expect(workflow.result).rejects.toBeInstanceOf(WorkflowFailed);
  const other = await host.run(machineOf('timer', { boom: false }), { address: 'other' });
  expect(await other.result).toMatchObject({ status: 'done' });
  await alice.send({ to: 'kid', type: 'GO', content: '' });
  await eventually('the child has ended', () => room.state('kid')?.state?.status === 'done');
  await eventually('its END is delivered', () => room.state('kid')?.undelivered.size === 0);
  resolve();
  const records = room.journal('m').length;
  // A host that keeps looking commits nothing.
  await host.close();
  expect(room.journal('m').length - records).toBeLessThanOrEqual(1);
  expect(room.state('m')?.state).toMatchObject({ status: 'active', calls: { child: { address: 'kid' }, slow: {} } });
  // Work that only this host had in memory is done again.
  const last = await room.run(keeping(runs, { boom: false }, promise), { retryFailed: true });
  expect(await last.workflow.result).toEqual({ status: 'done', output: 'luck' });
  await last.host.close();
  expect(runs.count).toBe(2);
});

test('an activity whose result made the workflow FAILED does not run again', async () => {
  await using room = await WorkflowRoom.make();
  const runs = { count: 0 };
  const counting = (fault: Fault) =>
    setup({
      actors: { work: activity(async () => (runs.count += 1)) },
      types: { context: {} as { got: unknown } },
    }).createMachine({
      id: 'm',
      context: { got: null },
      initial: 'a',
      states: {
        a: { invoke: { src: 'work', onDone: { target: 'b', actions: assign({ got: throwing(fault) }) } } },
        b: { type: 'final' },
      },
    });
  for (const retryFailed of [false, false, true]) {
    const { host, workflow } = await room.run(counting({ boom: true }), { retryFailed });
    await expect(workflow.result).rejects.toBeInstanceOf(WorkflowFailed);
    await host.close();
  }
  const { host, workflow } = await room.run(counting({ boom: false }), { retryFailed: true });
  expect(await workflow.result).toMatchObject({ status: 'done' });
  await host.close();
  expect(runs.count).toBe(1);
});

const never = new Promise<void>(() => {});

/** Has `m` FAILED while its child `kid` runs; `host` runs both. */
async function failIn(room: WorkflowRoom) {
  const { host, workflow, room: opened } = await room.run(keeping({ count: 0 }, { boom: true }, never));
  await workflow.result.catch(() => {});
  const kidState = await eventually('the child runs', () => room.state('kid')?.state);
  return { host, opened, kidRun: kidState.incarnation };
}

const statuses = (room: WorkflowRoom) => ['m', 'kid'].map((address) => room.state(address)?.state?.status);

test('a STOP gives up a FAILED workflow that is run, and only then ends its child', async () => {
  await using room = await WorkflowRoom.make();
  const { host, opened } = await failIn(room);
  expect(statuses(room)).toEqual(['active', 'active']);
  await stopWorkflow(contextOf(opened), 'm');
  await eventually('both are stopped', () => statuses(room).every((status) => status === 'stopped'));
  await host.close();
});

test.each([true, false])(
  'a STOP gives a FAILED workflow up as soon as it is run, with any code (same: %s)',
  async (boom) => {
    await using room = await WorkflowRoom.make();
    const { host, opened } = await failIn(room);
    await host.close();
    await stopWorkflow(contextOf(opened), 'm');
    const next = await room.run(keeping({ count: 0 }, { boom }, never));
    expect(await next.workflow.result).toEqual({ status: 'stopped' });
    await next.host.close();
    expect(statuses(room)).toEqual(['stopped', 'stopped']);
  },
);

test('--again gives up a FAILED workflow, ends its child, and starts a new run', async () => {
  await using room = await WorkflowRoom.make();
  const { host, kidRun } = await failIn(room);
  await host.close();
  const first = room.state('m')?.state?.incarnation;
  const { host: next, workflow } = await room.run(keeping({ count: 0 }, { boom: true }, never), { again: true });
  await expect(workflow.result).rejects.toBeInstanceOf(WorkflowFailed);
  await eventually('the next child runs', () => {
    const { status, incarnation } = room.state('kid')?.state ?? {};
    return status === 'active' && incarnation !== kidRun;
  });
  await next.close();
  const runsOf = (address: string, begun: string | undefined): string[] => {
    const runs = room.journal(address).flatMap((entry) => {
      if (!('commit' in entry)) return [];
      const { incarnation, status } = entry.commit.state;
      return [`${incarnation === begun ? 'first' : 'second'} ${status}`];
    });
    return [...new Set(runs)];
  };
  expect(runsOf('m', first)).toEqual(['first active', 'first stopped', 'second active']);
  expect(runsOf('kid', kidRun)).toEqual(['first active', 'first stopped', 'second active']);
});

test('mail for a FAILED workflow is not blamed for hosts that were killed while it waited', async () => {
  await using room = await WorkflowRoom.make();
  const opened = await room.open();
  const alice = await opened.join('alice');
  const { host, workflow } = await room.run(machineOf('timer', { boom: true }));
  await expect(workflow.result).rejects.toBeInstanceOf(WorkflowFailed);
  const { id } = await alice.send({ to: 'm', type: 'NOTE', content: '' });
  // None of these closes cleanly: the next host takes over, as from a killed process.
  const left = [host];
  for (let kill = 0; kill < 7; kill++) {
    const next = await room.run(machineOf('timer', { boom: true }), { takeOver: true });
    await expect(next.workflow.result).rejects.toBeInstanceOf(WorkflowFailed);
    left.push(next.host);
  }
  expect(room.status(id)[0]?.state).toBe('delivered');
  for (const one of left) await one.close();
});

test('a journal has the newer format only if the workflow is FAILED', async () => {
  await using room = await WorkflowRoom.make();
  const { host, workflow } = await room.run(machineOf('timer', { boom: true }));
  await expect(workflow.result).rejects.toBeInstanceOf(WorkflowFailed);
  await host.close();
  const fold = room.state('m');
  expect([fold?.open?.v, fold?.carry().v]).toEqual([1, 2]);
  const again = await room.run(machineOf('timer', { boom: false }), { retryFailed: true });
  await again.workflow.result;
  await again.host.close();
  expect([room.state('m')?.open?.v, room.state('m')?.carry().v]).toEqual([2, 1]);
});

test('--retry-failed resumes a workflow that is not FAILED, and does not start one that was never run', async () => {
  await using room = await WorkflowRoom.make();
  const machine = machineOf('timer', { boom: false });
  await expect(room.run(machine, { retryFailed: true })).rejects.toMatchObject({ code: 'ACTOR_NOT_FOUND' });
  await expect(room.run(machine, { retryFailed: true, again: true })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  const first = await room.run(machine);
  await first.workflow.result;
  await first.host.close();
  const { host, workflow } = await room.run(machine, { retryFailed: true });
  expect(await workflow.result).toMatchObject({ status: 'done' });
  await host.close();
});
