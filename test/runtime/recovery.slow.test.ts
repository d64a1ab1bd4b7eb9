import fs from 'node:fs';
import { expect, test } from 'vitest';
import { actorLayout, roomLayout } from '../../src/message/layout.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import type { Host } from '../../src/host/host.ts';
import { createIdSource, type Agent } from '../../src/index.ts';
import { accepts, activity, action, command, tell } from '../../src/workflow.ts';
import { assign, setup } from 'xstate';
import { z } from 'zod';
import { counter, sleeper } from './machines.ts';
import { eventually, texts, WorkflowRoom } from './workflow-room.ts';

const note = (n: number) => ({ to: 'counter', type: 'NOTE', content: '', data: { n } });

/** A host whose process every other host takes for dead: it leaves behind what a kill would leave. */
const abandoned: Host = {
  ...nodeHost,
  processes: { ...nodeHost.processes, self: () => ({ pid: 4_194_305, startTime: '1', bootId: 'gone' }) },
};

/** Leaves of a journal's first segment what a kill would have left. */
function keepRecords(room: WorkflowRoom, address: string, choose: (lines: string[]) => string[]): void {
  const file = `${actorLayout(roomLayout(room.directory), address).journal}/1.jsonl`;
  const kept = choose(fs.readFileSync(file, 'utf8').split('\n').filter(Boolean));
  fs.writeFileSync(file, kept.map((line) => `\n${line}\n`).join(''));
}

test('recovery repeats what lies above `performed`, actions too, and nothing below', async () => {
  const ran: string[] = [];
  const machine = setup({
    actions: { act: action((what: string, { effectId }) => void ran.push(`${what} ${effectId}`)) },
  }).createMachine({
    id: 'acting',
    initial: 'one',
    states: {
      one: { entry: { type: 'act', params: 'first' }, after: { 400: 'two' } },
      two: { entry: { type: 'act', params: 'second' }, after: { 60_000: 'three' } },
      three: {},
    },
  });
  await using room = await WorkflowRoom.make();
  const first = await room.run(machine, { on: abandoned });
  await eventually('the first action is written down as performed', () => (room.state('acting')?.performed ?? 0) > 1);
  await eventually('the second action', () => ran.length === 2);
  await first.host.close();
  // As a kill would have left it: nothing says yet that the second action was performed.
  keepRecords(room, 'acting', (lines) => lines.slice(0, lines.findIndex((line) => line.includes('"second"')) + 1));
  const again = await room.run(machine);
  await eventually('the second action again', () => ran.length === 3);
  await again.host.close();
  expect(ran.map((line) => line.split(' ')[0])).toEqual(['first', 'second', 'second']);
  expect(ran[1]).toBe(ran[2]);
  expect(room.state('acting')).toMatchObject({ isClosed: true, unperformed: [] });
});

test('actions and activities cannot change the state through their input or output', async () => {
  const kept: number[] = [7];
  const machine = setup({
    types: { context: {} as { todo: number[]; got: number[] } },
    schemas: accepts({ GO: z.unknown() }),
    actions: { empty: action((todo: number[]) => void todo.splice(0)) },
    actors: {
      empty: activity(async (todo: number[]) => {
        todo.splice(0);
        return kept;
      }),
    },
  }).createMachine({
    id: 'given',
    context: () => ({ todo: [1, 2, 3], got: [] }),
    initial: 'acting',
    output: ({ context }) => context,
    states: {
      acting: {
        entry: { type: 'empty', params: ({ context }) => context.todo },
        invoke: {
          src: 'empty',
          input: ({ context }) => context.todo,
          onDone: { target: 'idle', actions: assign({ got: ({ event }) => event.output }) },
        },
      },
      idle: { on: { GO: 'over' } },
      over: { type: 'final' },
    },
  });
  await using room = await WorkflowRoom.make();
  const { host, workflow, room: open } = await room.run(machine);
  await eventually('the activity is done', () => room.snapshot('given').value === 'idle');
  kept.push(8);
  await (await open.join('bob')).send({ to: 'given', type: 'GO', content: '' });
  expect(await workflow.result).toEqual({ status: 'done', output: { todo: [1, 2, 3], got: [7] } });
  await host.close();
});

test('any value that an activity throws becomes an error of the machine, and never ends the host', async () => {
  const circular: Record<string, unknown> = { amount: 1n };
  circular['self'] = circular;
  const machine = setup({
    actors: { work: activity(() => Promise.reject(circular as unknown as Error)) },
  }).createMachine({
    id: 'thrown',
    initial: 'working',
    states: {
      working: { invoke: { src: 'work', onError: 'over' } },
      over: { type: 'final' },
    },
  });
  await using room = await WorkflowRoom.make();
  const { host, workflow } = await room.run(machine);
  expect(await workflow.result).toMatchObject({ status: 'done' });
  const [, over] = room.journal('thrown').flatMap((entry) => ('commit' in entry ? [entry.commit] : []));
  expect(over?.cause).toMatchObject({
    event: { error: { name: 'Error', message: expect.stringContaining('amount: 1n') } },
  });
  await host.close();
});

/** Three minutes later, so that nothing has to wait for a timer. */
const later: Host = { ...nodeHost, clock: { ...nodeHost.clock, now: () => Date.now() + 180_000 } };

test.each([
  { durability: 'process', outstanding: 0 },
  { durability: 'power', outstanding: 64 },
] as const)(
  'a timer that came due while nobody ran the workflow lets mail pass that was sent before, and no other ($outstanding steps outstanding)',
  async ({ durability, outstanding }) => {
    const machine = setup({
      schemas: accepts({ NOTE: z.unknown() }),
      delays: { first: 60_000, second: 120_000 },
      types: { context: {} as { order: string[] }, events: {} as { type: string; content?: string } },
      actions: {
        note: assign({
          order: ({ context, event: { type, content } }) => [
            ...context.order,
            content ?? type.replace(/^xstate\.after\.(\w+)\..*/, 'timer $1'),
          ],
        }),
      },
    }).createMachine({
      id: 'waiting',
      context: { order: [] },
      on: { NOTE: { actions: 'note' } },
      after: { first: { actions: 'note' }, second: { actions: 'note' } },
    });
    await using room = await WorkflowRoom.make({ durability });
    const alice = await (await room.open(later)).join('alice');
    const { host } = await room.run(machine, { on: abandoned });
    const { state } = await eventually('it has begun', () => room.state('waiting'));
    const [first = 0, second = 0] = Object.values(state?.timers ?? {})
      .map(({ dueAt }) => dueAt)
      .sort((one, other) => one - other);
    const sentAt = (timeMs: number, content: string): Promise<unknown> =>
      alice.send({ to: 'waiting', type: 'NOTE', content, id: createIdSource(nodeHost.randomBytes).next(timeMs) });
    for (let n = 0; n < outstanding; n++) await sentAt(first - 60_000, 'before');
    await eventually('they are taken', () => (room.state('waiting')?.state?.steps ?? 0) > outstanding);
    await host.close();
    if (outstanding > 0) {
      // As a kill leaves it: nothing says that any of them was performed.
      keepRecords(room, 'waiting', (lines) =>
        lines.slice(0, lines.findLastIndex((line) => line.includes('"content":"before"')) + 1),
      );
    }
    expect(room.state('waiting')?.unperformed.length).toBeGreaterThanOrEqual(outstanding);
    await sentAt(second + 5, 'late');
    await sentAt(second - 5, 'in between');
    await sentAt(first - 5, 'early');
    const again = await room.run(machine, { on: later });
    const order = (): string[] => room.snapshot('waiting').context['order'] as string[];
    await eventually('all of it', () => order().length === outstanding + 5);
    await again.host.close();
    expect(order().slice(outstanding)).toEqual(['early', 'timer first', 'in between', 'timer second', 'late']);
  },
);

test('a delivery that fails for now survives a restart and arrives', async () => {
  await using room = await WorkflowRoom.make({ actors: { alice: { newMessagesMax: 6 } } });
  const alice = await (await room.open()).join('alice');
  const { host } = await room.run(counter);
  for (let n = 1; n <= 6; n++) {
    await alice.send(note(n));
    await eventually('it is taken', () => (room.state('counter')?.state?.steps ?? 0) > n);
  }
  await eventually('the mailbox is full', () => texts(alice).length >= 3);
  await host.close();
  expect(room.state('counter')?.undelivered.size).toBeGreaterThan(0);
  const held = texts(alice).length;
  for await (const mail of alice.inbox({ wait: false })) await mail.ack();
  const again = await room.run(counter);
  await eventually('the rest arrives', () => room.state('counter')?.undelivered.size === 0);
  await again.host.close();
  expect([held + texts(alice).length, texts(alice).at(-1)]).toEqual([6, 'INFO sum 21']);
});

test('a message that was delivered, acknowledged and purged is not delivered again', async () => {
  await using room = await WorkflowRoom.make({ limits: { doneDaysKept: 1 } });
  const alice = await (await room.open()).join('alice');
  const first = await room.run(counter, { on: abandoned });
  await alice.send(note(1));
  await eventually('the answer', () => texts(alice).length === 1);
  for await (const mail of alice.inbox({ wait: false })) await mail.ack();
  await first.host.close();
  // As if the previous host had died between the delivery and its record, long ago; alice has purged that day since.
  const layout = actorLayout(roomLayout(room.directory), 'alice').mailbox;
  const [day = ''] = fs.readdirSync(layout.done);
  fs.rmSync(`${layout.done}/${day}`, { recursive: true });
  fs.writeFileSync(layout.purgedThrough, `${day}\n`);
  keepRecords(room, 'counter', (lines) => lines.filter((line) => !line.includes('"performed":{')));
  const again = await room.run(counter);
  await eventually('nothing is left to deliver', () => room.state('counter')?.undelivered.size === 0);
  await again.host.close();
  expect(texts(alice)).toEqual([]);
});

test('an undeliverable message causes one event, and stops nothing', async () => {
  await using room = await WorkflowRoom.make();
  const opened = await room.open();
  const [alice, ghost] = [await opened.join('alice'), await opened.join('ghost')];
  const { host, workflow } = await room.run(counter);
  await eventually('it has begun', () => room.state('counter')?.state);
  // The answer to an actor whose whole directory is gone.
  await host.close();
  await ghost.send(note(1));
  fs.rmSync(actorLayout(roomLayout(room.directory), 'ghost').directory, { recursive: true });
  void workflow;
  const again = await room.run(counter);
  await eventually('the event', () => room.story('counter').some(({ cause }) => cause.startsWith('undeliverable')));
  await alice.send(note(2));
  await eventually('it goes on', () => texts(alice).includes('INFO sum 3'));
  await again.host.close();
  expect(room.snapshot('counter').context['failed']).toEqual(['ghost ACTOR_NOT_FOUND']);
  expect(room.story('counter').filter(({ cause }) => cause.startsWith('undeliverable'))).toHaveLength(1);
});

test('its mail is paced by the rate limit and never refused, and its own steps are not delayed', async () => {
  await using room = await WorkflowRoom.make({ limits: { rateLimit: 4, rateWindowMs: 1_500 } });
  const opened = await room.open();
  const senders: Agent[] = [];
  for (let index = 0; index < 4; index++) senders.push(await opened.join(`sender-${index}`));
  const { host } = await room.run(counter);
  for (const sender of senders) for (let n = 0; n < 3; n++) await sender.send(note(1));
  await eventually('all are taken', () => (room.state('counter')?.state?.steps ?? 0) === 13);
  const waiting = room.state('counter')?.undelivered.size ?? 0;
  await eventually('all are answered', () => senders.every((sender) => texts(sender).length === 3));
  await host.close();
  console.log(`12 steps taken while ${waiting} answers waited for the rate limit of 4 in 1.5 s`);
  const times = senders.flatMap((sender) => sender.list().unsettled).length;
  expect(times).toBe(12);
});

test('an activity with onCrash: fail fails after a crash, any other runs again with its effect id', async () => {
  const runs: string[] = [];
  const machineOf = (onCrash: 'rerun' | 'fail', hang: boolean) =>
    setup({
      actors: {
        work: activity(
          async (_input: null, { effectId }) => {
            runs.push(effectId);
            if (hang) await new Promise(() => {});
            return 'done';
          },
          { onCrash },
        ),
      },
    }).createMachine({
      id: onCrash,
      initial: 'working',
      context: {},
      output: ({ event }) => (event as unknown as { output?: unknown }).output ?? null,
      states: {
        working: { invoke: { src: 'work', input: null, onDone: 'good', onError: 'bad' } },
        good: { type: 'final' },
        bad: { type: 'final' },
      },
    });
  await using room = await WorkflowRoom.make();
  for (const onCrash of ['rerun', 'fail'] as const) {
    await room.run(machineOf(onCrash, true), { on: abandoned });
    await eventually('it runs', () => runs.length > 0);
    const again = await room.run(machineOf(onCrash, false), { acceptChanged: true });
    await again.workflow.result;
    await again.host.close();
    const { value } = room.snapshot(onCrash);
    expect([onCrash, value, runs.length]).toEqual(onCrash === 'rerun' ? ['rerun', 'good', 2] : ['fail', 'bad', 1]);
    expect(new Set(runs).size).toBe(1);
    runs.length = 0;
  }
});

test('a command that is no longer awaited is ended with its whole process tree, also by a host that did not start it', async () => {
  await using room = await WorkflowRoom.make();
  const alice = await (await room.open()).join('alice');
  const file = `${room.directory}/pid`;
  await room.run(sleeper, { on: abandoned, input: { file } });
  // The file exists before it has the number.
  const read = (): string => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '');
  const pid = await eventually('the command runs', () => read().endsWith('\n') && Number(read()));
  expect(nodeHost.processes.identify(pid)).toBeDefined();
  // The previous host is in fact still running, and is fenced by this one: everything from here on is this one's.
  const again = await room.run(sleeper);
  await alice.send({ to: 'sleeper', type: 'ENOUGH', content: '' });
  await again.workflow.result;
  await again.host.close();
  await eventually('its grandchild is gone', () => nodeHost.processes.identify(pid) === undefined);
  expect(texts(alice)).toEqual(['INFO awake']);
});

test('a command whose spec differs in the next host is still awaited as it was started', async () => {
  // The next host gave up the command and ended it, because its machine returned another environment.
  await using room = await WorkflowRoom.make();
  const [began, go] = [`${room.directory}/began`, `${room.directory}/go`];
  let asked = 0;
  const script = 'echo began >> "$0"; while [ -e "$0" ] && [ ! -e "$1" ]; do sleep 0.05; done; printf "%s" "$ASKED"';
  const machine = setup({
    types: { context: {} as { said: unknown } },
    actors: {
      work: command(() => ({ file: 'sh', args: ['-c', script, began, go], env: { ASKED: `${(asked += 1)}` } })),
    },
  }).createMachine({
    id: 'working',
    context: { said: null },
    initial: 'a',
    states: {
      a: {
        invoke: {
          src: 'work',
          onDone: { target: 'b', actions: assign({ said: ({ event }) => event.output.stdout }) },
          onError: { target: 'b', actions: assign({ said: ({ event }) => event.error }) },
        },
      },
      b: { type: 'final' },
    },
    output: ({ context }) => context.said,
  });
  await room.run(machine, { on: abandoned });
  await eventually('the command runs', () => fs.existsSync(began));
  const again = await room.run(machine);
  fs.writeFileSync(go, '');
  expect(await again.workflow.result).toEqual({ status: 'done', output: '1' });
  await again.host.close();
  expect(fs.readFileSync(began, 'utf8')).toBe('began\n');
});

test.each([
  { behindMs: 0, becomes: 'worked' },
  { behindMs: 3_600_000, becomes: 'late' },
])(
  'a command that ended while nobody ran the workflow counts before a timer that was due later, and no other ($becomes)',
  async ({ behindMs, becomes }) => {
    await using room = await WorkflowRoom.make();
    const [began, go] = [`${room.directory}/began`, `${room.directory}/go`];
    const script = 'touch "$0"; while [ -e "$0" ] && [ ! -e "$1" ]; do sleep 0.05; done';
    const machine = setup({
      actors: { work: command(() => ({ file: 'sh', args: ['-c', script, began, go] })) },
      delays: { patience: 120_000 },
    }).createMachine({
      id: 'working',
      initial: 'working',
      states: {
        working: { invoke: { src: 'work', onDone: 'worked' }, after: { patience: 'late' } },
        worked: { type: 'final' },
        late: { type: 'final' },
      },
    });
    // Where its clock is behind, the timer is due before the command ends, by the clocks of the others.
    const first = await room.run(machine, {
      on: { ...nodeHost, clock: { ...nodeHost.clock, now: () => Date.now() - behindMs } },
    });
    await eventually('the command runs', () => fs.existsSync(began));
    await first.host.close();
    fs.writeFileSync(go, '');
    const jobs = actorLayout(roomLayout(room.directory), 'working').jobs;
    const [effectId = ''] = fs.readdirSync(jobs);
    await eventually('it has ended', () => fs.existsSync(`${jobs}/${effectId}/1.exit.json`));
    const again = await room.run(machine, { on: later });
    expect(await again.workflow.result).toEqual({ status: 'done' });
    await again.host.close();
    expect(room.snapshot('working').value).toBe(becomes);
  },
);

test('a second host is refused while the first lives, and fences it by a takeover', async () => {
  await using room = await WorkflowRoom.make();
  const alice = await (await room.open()).join('alice');
  const first = await room.run(counter);
  await expect(room.run(counter)).rejects.toMatchObject({
    code: 'CONFLICT',
    hint: expect.stringContaining('--take-over'),
  });
  const second = await room.run(counter, { takeOver: true });
  await alice.send(note(5));
  await eventually('it is answered', () => texts(alice).length === 1);
  // The first has nothing to append, so it learns of the takeover only from a check.
  await expect(first.workflow.result).rejects.toMatchObject({ code: 'FENCED' });
  await first.host.close();
  await alice.send({ to: 'counter', type: 'FINISH', content: '' });
  expect(await second.workflow.result).toMatchObject({ output: { sum: 5 } });
  await second.host.close();
  expect(texts(alice)).toEqual(['INFO sum 5']);
});

test.each([
  { systemId: undefined, isDeeper: false },
  { systemId: 'helper', isDeeper: false },
  { systemId: undefined, isDeeper: true },
])(
  'a child that has ended with mail to deliver goes on when its parent, which waits for it no more, is run again: %o',
  async ({ systemId, isDeeper }) => {
    const child = setup({
      types: { context: {} as { said: string }, events: {} as { type: string } },
      actions: { say: tell('alice', ({ context }) => ({ type: 'INFO', content: context.said })) },
    }).createMachine({
      id: 'child',
      context: { said: 'one' },
      initial: 'one',
      states: {
        one: { entry: 'say', always: { target: 'over', actions: [assign({ said: 'two' }), 'say'] } },
        over: { type: 'final' },
      },
    });
    const parent = setup({ actors: { child } }).createMachine({
      id: 'parent',
      initial: 'waiting',
      states: {
        waiting: { invoke: { src: 'child', id: 'child', ...(systemId ? { systemId } : {}), onDone: 'going-on' } },
        'going-on': {},
      },
    });
    const top = setup({ actors: { parent } }).createMachine({ id: 'top', invoke: { src: 'parent', id: 'parent' } });
    const machine = isDeeper ? top : parent;
    const parentAddress = isDeeper ? 'top.parent-1' : 'parent';
    const address = systemId ?? `${parentAddress}.child-1`;
    await using room = await WorkflowRoom.make({ actors: { [address]: { rateLimit: 1 } } });
    const alice = await (await room.open()).join('alice');
    const other = await room.run(counter);
    const first = await room.run(machine);
    await eventually('the parent is there', () => room.state(parentAddress)?.state !== undefined);
    await eventually('the parent has gone on', () => room.snapshot(parentAddress).value === 'going-on');
    await eventually('the first of two messages', () => texts(alice).length === 1);
    await first.host.close();
    expect(room.state(address)).toMatchObject({ state: { status: 'done' }, undelivered: { size: 1 } });
    const config = JSON.parse(fs.readFileSync(`${room.directory}/room.json`, 'utf8')) as object;
    fs.writeFileSync(`${room.directory}/room.json`, JSON.stringify({ ...config, actors: {} }));
    const again = await room.run(machine);
    await eventually('the second', () => texts(alice).length === 2);
    await again.host.close();
    await other.host.close();
    expect(texts(alice)).toEqual(['INFO one', 'INFO two']);
    expect(room.state(address)?.undelivered.size).toBe(0);
  },
);
