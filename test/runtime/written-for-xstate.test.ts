import { expect, test } from 'vitest';
import { assign, createActor, fromPromise, sendParent, sendTo, setup, toPromise } from 'xstate';
import { z } from 'zod';
import { written } from '../../fixtures/xstate/machines.ts';
import { replayWorkflow } from '../../src/history/replay.ts';
import { accepts } from '../../src/workflow.ts';
import { explore } from '../../src/testing.ts';
import { eventually, WorkflowRoom } from './workflow-room.ts';

test.each(written.map((one, index) => [`${index} ${one.machine.id}`, one] as const))(
  'a machine written for XState runs as it is, to the same end: %s',
  async (_, { machine, input, events = [] }) => {
    const actor = createActor(machine, { input });
    const there = toPromise(actor);
    actor.start();
    for (const event of events) actor.send(event);
    // The machine knows nothing of mail, so a parent sends it its events.
    const parent = setup({ actors: { written: machine } }).createMachine({
      id: 'parent',
      entry: events.map((event) => sendTo('it', event)),
      invoke: { id: 'it', src: 'written', input, onDone: '.over' },
      initial: 'waiting',
      states: { waiting: {}, over: { type: 'final', output: ({ event }) => (event as { output?: unknown }).output } },
      output: ({ event }) => event.output,
    });
    await using room = await WorkflowRoom.make();
    const { host, workflow } = await room.run(parent);
    expect(await workflow.result).toEqual({ status: 'done', output: asJson(await there) });
    const replayed = replayWorkflow(await room.open(), 'parent', parent);
    expect(replayed?.divergences).toEqual([]);
    await host.close();
  },
);

test('a named promise runs again under the same id when its host is gone, and its first run is aborted', async () => {
  const runs: { id: string; signal: AbortSignal; input: unknown; name: string }[] = [];
  const machine = setup({
    actors: {
      charge: fromPromise(
        async ({
          input,
          signal,
          self,
        }: {
          input: number;
          signal: AbortSignal;
          self: { id: string; sessionId: string };
        }) => {
          runs.push({ id: self.sessionId, signal, input, name: self.id });
          if (runs.length === 1) await new Promise(() => {});
          return { paid: input };
        },
      ),
    },
  }).createMachine({
    id: 'shop',
    initial: 'charging',
    states: { charging: { invoke: { id: 'card', src: 'charge', input: 5, onDone: 'over' } }, over: { type: 'final' } },
  });
  await using room = await WorkflowRoom.make();
  const first = await room.run(machine);
  await eventually('it is charged', () => runs.length === 1);
  const second = await room.run(machine, { takeOver: true });
  expect(await second.workflow.result).toEqual({ status: 'done', output: undefined });
  await expect(first.workflow.result).rejects.toThrow('another host');
  expect(runs.map(({ id, input, name }) => [id, input, name])).toEqual([
    [runs[0]?.id, 5, 'card'],
    [runs[0]?.id, 5, 'card'],
  ]);
  expect(runs[0]?.id).toMatch(/^[0-9a-f]{12}\.1\.0$/);
  expect(runs[0]?.signal.aborted).toBe(true);
  await Promise.all([first.host.close(), second.host.close()]);
});

test('use of a missing feature rejects the promise, and the error says what it has', async () => {
  type Given = {
    self: Record<string, () => void>;
    system: { get: (key: string) => void };
    emit: (event: object) => void;
  };
  const uses: Record<string, (given: Given) => void> = {
    send: ({ self }) => self['send']?.(),
    snapshot: ({ self }) => self['getSnapshot']?.(),
    parent: ({ self }) => self['_parent'],
    system: ({ system }) => system.get('x'),
    emit: ({ emit }) => emit({ type: 'x' }),
    nothing: ({ self, system }) => void JSON.stringify([self, system]),
  };
  const promiseOf = (use: (given: Given) => void) =>
    fromPromise(async (given) => {
      const all = given as unknown as Given;
      // As `await` does.
      await Promise.resolve(all.self);
      use(all);
    });
  const note = assign({
    said: ({ context, event }: never) => [
      ...(context as { said: string[] }).said,
      (event as { error?: Error }).error?.message ?? 'fine',
    ],
  });
  const machine = setup({
    actors: Object.fromEntries(Object.entries(uses).map(([name, use]) => [name, promiseOf(use)])),
  }).createMachine({
    id: 'uses',
    context: { said: [] as string[] },
    invoke: Object.keys(uses).map((src) => ({ src, onDone: { actions: note }, onError: { actions: note } })) as never,
    initial: 'a',
    states: { a: { always: { guard: ({ context }) => context.said.length === 6, target: 'b' } }, b: { type: 'final' } },
    output: ({ context }) => context.said.toSorted((a: string, b: string) => a.localeCompare(b)),
  });
  await using room = await WorkflowRoom.make();
  const { host, workflow } = await room.run(machine);
  const { output } = (await workflow.result) as { output: string[] };
  const hint = ', which is not available in a workflow: it has input, signal, self.id, self.src and self.sessionId';
  expect(output.map((one) => one.split(' (its effect id)')[0])).toEqual([
    'fine',
    `The promise "emit" used emit()${hint}`,
    `The promise "parent" used self._parent${hint}`,
    `The promise "send" used self.send${hint}`,
    `The promise "snapshot" used self.getSnapshot${hint}`,
    `The promise "system" used system.get${hint}`,
  ]);
  await host.close();
});

/** Two children that know each other, and a child of one that knows both and the root. */
const deep = setup({}).createMachine({
  id: 'deep',
  on: {
    GO: {
      actions: [
        sendTo(({ system }) => system.get('teller'), { type: 'FROM-DEEP' }),
        sendTo(({ system }) => system.get('root'), { type: 'FROM-DEEP' }),
      ],
    },
  },
});
const asker = setup({ actors: { deep } }).createMachine({
  id: 'asker',
  invoke: { id: 'deep', src: 'deep' },
  on: {
    GO: {
      actions: [sendTo(({ system }) => system.get('teller'), { type: 'FROM-SIBLING' }), sendTo('deep', { type: 'GO' })],
    },
  },
});
const teller = setup({}).createMachine({
  id: 'teller',
  on: { '*': { actions: sendParent(({ event }) => ({ type: 'HEARD', what: event.type })) } },
});
const family = setup({
  schemas: accepts({ GO: z.unknown() }),
  types: { context: {} as { heard: string[] } },
  actors: { asker, teller },
}).createMachine({
  id: 'root',
  context: { heard: [] },
  invoke: [
    { id: 'a', src: 'asker', systemId: 'asker' },
    { id: 't', src: 'teller', systemId: 'teller' },
  ],
  initial: 'listening',
  states: {
    listening: { always: { guard: ({ context }) => context.heard.length === 3, target: 'over' } },
    over: { type: 'final' },
  },
  on: {
    GO: { actions: sendTo('a', { type: 'GO' }) },
    HEARD: { actions: assign({ heard: ({ context, event }) => [...context.heard, event['what'] as string] }) },
    'FROM-DEEP': { actions: assign({ heard: ({ context }) => [...context.heard, 'root'] }) },
  },
  output: ({ context }) => context.heard.toSorted((a, b) => a.localeCompare(b)),
});

test('system.get reaches siblings and ancestors, and the journal records who was there', async () => {
  await using room = await WorkflowRoom.make();
  const { host, workflow } = await room.run(family);
  const alice = await (await room.open()).join('alice');
  await alice.send({ to: 'root', type: 'GO', content: '' });
  expect(await workflow.result).toEqual({ status: 'done', output: ['FROM-DEEP', 'FROM-SIBLING', 'root'] });
  const asked = room
    .journal('asker')
    .flatMap((entry) => ('commit' in entry && entry.commit.kin ? [entry.commit.kin] : []));
  expect(asked).toEqual([{ teller: true }]);
  const opened = await room.open();
  for (const [address, machine] of Object.entries({ root: family, asker, teller }))
    expect(replayWorkflow(opened, address, machine)?.divergences).toEqual([]);
  expect(room.story('root').map(({ cause }) => cause)).toContain('FROM-SIBLING (event) for teller');
  await host.close();
});

test('the explorer finds the same relatives', () => {
  const found = explore({
    workflows: { root: { machine: family } },
    agents: { alice: { sends: [{ to: 'root', type: 'GO', always: true }] } },
  });
  expect(found.ends.map(({ summary }) => summary)).toEqual(['root: over (done)']);
  expect(found.deadLetters).toEqual([]);
});

function asJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
