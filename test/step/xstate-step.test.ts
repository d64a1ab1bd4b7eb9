import { assign, cancel, emit, enqueueActions, log, raise, sendTo, setup, spawnChild, stopChild } from 'xstate';
import { describe, expect, it } from 'vitest';
import { step, type Step } from '../../src/step/xstate-step.ts';
import { action, activity, ask, broadcast, command, tell } from '../../src/workflow.ts';
import type { AnyStateMachine } from 'xstate';

const ADDRESS = 'team.ship';

function begin(machine: AnyStateMachine, input?: unknown): Step {
  return step(machine, { address: ADDRESS, before: undefined, input });
}

function go(machine: AnyStateMachine, before: Step, type: string, more: Record<string, unknown> = {}): Step {
  // As read from the journal.
  const snapshot = JSON.parse(JSON.stringify(before.snapshot)) as unknown;
  return step(machine, { address: ADDRESS, before: snapshot, event: { type, ...more } });
}

function valueOf({ snapshot }: Step): unknown {
  return (snapshot as { value: unknown }).value;
}

const work = activity(async (_input: number) => 'done');

describe('step', () => {
  it("starts nothing and returns the effects in the machine's order", () => {
    const child = setup({}).createMachine({ id: 'child' });
    const machine = setup({
      actors: { work, review: ask('bob'), build: command(() => ({ file: 'make', args: [] })), child },
      actions: { note: action((_params: { text: string }) => {}) },
      delays: { patience: 1_000 },
    }).createMachine({
      id: 'ship',
      initial: 'on',
      states: {
        on: {
          entry: [
            tell('bob', { type: 'INFO', content: 'hello' }),
            { type: 'note', params: { text: 'a' } },
            spawnChild('child', { id: 'c', input: { deep: [1] } }),
            sendTo('c', { type: 'PING' }),
            broadcast({ type: 'INFO', content: 'all' }),
            log('words', 'label'),
            emit({ type: 'news' }),
            raise({ type: 'LATER' }, { delay: 50, id: 'later' }),
            cancel('later'),
            tell('bob', { type: 'INFO', content: 'late' }, { delay: 70, id: 'mail' }),
          ],
          invoke: [
            { src: 'work', id: 'w', input: 7 },
            { src: 'review', id: 'r', input: { type: 'QUESTION', content: '?' } },
            { src: 'build', id: 'b' },
          ],
          after: { patience: 'on' },
        },
      },
    });
    const { effects, status, isHandled } = begin(machine);
    expect({ status, isHandled }).toEqual({ status: 'active', isHandled: true });
    expect(effects).toEqual([
      { kind: 'mail', to: ['bob'], message: { type: 'INFO', content: 'hello' } },
      { kind: 'action', type: 'note', params: { text: 'a' } },
      { kind: 'start', childId: 'c', src: 'child', input: { deep: [1] } },
      { kind: 'event', to: { childId: 'c' }, event: { type: 'PING' } },
      { kind: 'mail', to: ['all'], message: { type: 'INFO', content: 'all' } },
      { kind: 'log', label: 'label', value: 'words' },
      { kind: 'emit', event: { type: 'news' } },
      { kind: 'raise', event: { type: 'LATER' }, delayMs: 50, sendId: 'later' },
      { kind: 'cancel', sendId: 'later' },
      { kind: 'mail', to: ['bob'], message: { type: 'INFO', content: 'late' }, delayMs: 70, sendId: 'mail' },
      {
        kind: 'raise',
        event: { type: 'xstate.after.patience.ship.on' },
        delayMs: 1_000,
        sendId: 'xstate.after.patience.ship.on',
      },
      { kind: 'start', childId: 'w', src: 'work', input: 7 },
      { kind: 'start', childId: 'r', src: 'review', input: { type: 'QUESTION', content: '?' } },
      { kind: 'start', childId: 'b', src: 'build' },
    ]);
  });

  it("neither changes the given snapshot nor runs the context's factory again", () => {
    let made = 0;
    const machine = setup({ types: { context: {} as { list: number[] } } }).createMachine({
      context: () => {
        made += 1;
        return { list: [] };
      },
      on: { ADD: { actions: assign({ list: ({ context }) => [...context.list, 1] }) } },
    });
    const first = begin(machine);
    const text = JSON.stringify(first.snapshot);
    const second = go(
      machine,
      step(machine, { address: ADDRESS, before: first.snapshot, event: { type: 'ADD' } }),
      'ADD',
    );
    expect(JSON.stringify(first.snapshot)).toBe(text);
    expect(second.snapshot).toMatchObject({ context: { list: [1, 1] } });
    expect(made).toBe(1);
  });

  it('starts a child of the same id again on its second invoke', () => {
    const machine = setup({ actors: { work } }).createMachine({
      initial: 'a',
      states: {
        a: {
          invoke: { src: 'work', id: 'same', input: 1, onDone: 'b' },
          on: { AGAIN: { target: 'a', reenter: true } },
        },
        b: { invoke: { src: 'work', id: 'same', input: 2, onDone: 'a' } },
      },
    });
    const started = { kind: 'start', childId: 'same', src: 'work' };
    const first = begin(machine);
    expect(first.effects).toEqual([{ ...started, input: 1 }]);
    const again = go(machine, first, 'AGAIN');
    expect(again.effects).toEqual([
      { kind: 'stop', childId: 'same' },
      { ...started, input: 1 },
    ]);
    const second = go(machine, again, 'xstate.done.actor.same', { output: 'x', actorId: 'same' });
    expect(second.effects).toEqual([
      { kind: 'stop', childId: 'same' },
      { ...started, input: 2 },
    ]);
  });

  it('enters a state again whose child has a systemId', () => {
    const child = setup({}).createMachine({});
    const machine = setup({ actors: { child } }).createMachine({
      initial: 'a',
      states: {
        a: { invoke: { src: 'child', id: 'c', systemId: 'helper' }, on: { AGAIN: { target: 'a', reenter: true } } },
      },
    });
    const first = begin(machine);
    const again = go(machine, first, 'AGAIN');
    const twice = go(machine, again, 'AGAIN');
    const started = { kind: 'start', childId: 'c', src: 'child', systemId: 'helper' };
    expect(first.effects).toEqual([started]);
    for (const one of [again, twice]) expect(one.effects).toEqual([{ kind: 'stop', childId: 'c' }, started]);
  });

  it('remembers history over a restart, shallow and deep', () => {
    const machine = setup({}).createMachine({
      initial: 'work',
      states: {
        work: {
          type: 'parallel',
          states: {
            left: {
              initial: 'a',
              states: { a: { on: { L: 'b' } }, b: { initial: 'x', states: { x: { on: { D: 'y' } }, y: {} } } },
            },
            right: { initial: 'a', states: { a: { on: { R: 'b' } }, b: {} } },
            hist: { type: 'history', history: 'deep' },
          },
          on: { PAUSE: 'paused' },
        },
        paused: { on: { RESUME: 'work.hist', SHALLOW: 'shallow' } },
        shallow: {
          initial: 'p',
          states: { p: { on: { N: 'q' } }, q: {}, back: { type: 'history' } },
          on: { PAUSE: 'away' },
        },
        away: { on: { RESUME: 'shallow.back' } },
      },
    });
    const play = (...types: string[]): unknown =>
      valueOf(types.reduce((at, type) => go(machine, at, type), begin(machine)));
    expect(play('L', 'D', 'R', 'PAUSE', 'RESUME')).toEqual({ work: { left: { b: 'y' }, right: 'b' } });
    expect(play('PAUSE', 'SHALLOW', 'N', 'PAUSE', 'RESUME')).toEqual({ shallow: 'q' });
  });

  it('refuses spawn() inside assign and context, which would leave no effect', () => {
    const inAssign = setup({ types: { context: {} as { ref: unknown } }, actors: { work } }).createMachine({
      context: { ref: null },
      on: { GO: { actions: assign({ ref: ({ spawn }) => spawn('work', { id: 'w', input: 1 }).id }) } },
    });
    expect(() => go(inAssign, begin(inAssign), 'GO')).toThrow(
      'made the child "w" with spawn() inside assign or context',
    );
    const inContext = setup({ types: { context: {} as { ref: unknown } }, actors: { work } }).createMachine({
      context: ({ spawn }) => ({ ref: spawn('work', { id: 'w', input: 1 }).id }),
    });
    expect(() => begin(inContext)).toThrow('made the child "w" with spawn() inside assign or context');
  });

  const unkept: [string, unknown, string][] = [
    ['a Date', new Date(0), 'context.deep[1].value'],
    ['a Map', new Map(), 'context.deep[1].value'],
    ['a Set', new Set(), 'context.deep[1].value'],
    ['an Error', new Error('x'), 'context.deep[1].value'],
    ['a function', () => 1, 'context.deep[1].value'],
    ['NaN', Number.NaN, 'context.deep[1].value'],
    ['a BigInt', 1n, 'context.deep[1].value'],
    ['an object of a class', new URL('file:///'), 'context.deep[1].value'],
    ['a Map inside an array', [new Map()], 'context.deep[1].value[0]'],
  ];
  it.each(unkept)('refuses a context with %s and names the place', (_, value, place) => {
    const machine = setup({ types: { context: {} as { deep: unknown[] } } }).createMachine({
      id: 'keeper',
      context: { deep: [0] },
      on: { PUT: { actions: assign({ deep: [0, { value }] }) } },
    });
    expect(() => go(machine, begin(machine), 'PUT')).toThrow(
      `The machine keeper put something at ${place} that JSON cannot represent.`,
    );
  });

  it('refuses output, params, input and events that JSON cannot represent', () => {
    const machine = setup({
      actors: { work: activity(async (_input: unknown) => 1) },
      actions: { note: action((_params: unknown) => {}) },
    }).createMachine({
      id: 'm',
      initial: 'a',
      states: {
        a: {
          on: {
            PARAMS: { actions: { type: 'note', params: { at: new Date(0) } } },
            INPUT: { actions: spawnChild('work', { id: 'w', input: () => ({ at: new Map() }) }) },
            EVENT: { actions: raise({ type: 'X', at: new Set() }, { delay: 1 }) },
            OUT: 'out',
          },
        },
        out: { type: 'final' },
      },
      output: () => ({ at: new Date(0) }),
    });
    const first = begin(machine);
    expect(() => go(machine, first, 'PARAMS')).toThrow('gave the action note something at params.at');
    expect(() => go(machine, first, 'INPUT')).toThrow('gave "work" something at input.at');
    expect(() => go(machine, first, 'EVENT')).toThrow('sent something at X.at');
    expect(() => go(machine, first, 'OUT')).toThrow('put something at output.at');
  });

  it.each(['send', 'start', 'stop', 'subscribe', 'on'] as const)(
    'refuses self.%s() in an expression, which would be lost without a word',
    (method) => {
      const machine = setup({}).createMachine({
        id: 'm',
        on: {
          GO: {
            actions: assign(({ self }) => {
              (self as unknown as Record<string, (event: unknown) => void>)[method]?.({ type: 'X' });
              return {};
            }),
          },
        },
      });
      expect(() => go(machine, begin(machine), 'GO')).toThrow(`A machine called self.${method}()`);
    },
  );

  it('refuses every delay that the journal cannot hold', () => {
    for (const delay of [Infinity, -Infinity, NaN, '60000', 4e12]) {
      const machine = setup({ delays: { patience: () => delay as number } }).createMachine({
        initial: 'a',
        states: { a: { on: { GO: 'b' } }, b: { after: { patience: 'a' } } },
      });
      const { snapshot } = step(machine, { address: 'm', before: undefined });
      const refused = (): unknown => step(machine, { address: 'm', before: snapshot, event: { type: 'GO' } });
      expect(refused).toThrow(/has the delay .*: expected ms, at most 3153600000000/);
    }
  });

  it('drops undefined members, which a restart would lose', () => {
    const machine = setup({}).createMachine({
      context: { a: undefined, b: [{ c: undefined, d: 1 }], __proto__: null },
    });
    const { snapshot } = step(machine, { address: 'm', before: undefined });
    const { context } = snapshot as { context: object };
    expect(Object.keys(context)).toEqual(['b']);
    expect(context).toStrictEqual({ b: [{ d: 1 }] });
  });

  it('fails a step that never settles', () => {
    const machine = setup({}).createMachine({
      initial: 'a',
      states: { a: { on: { GO: 'b' } }, b: { always: 'c' }, c: { always: 'b' } },
    });
    expect(() => go(machine, begin(machine), 'GO')).toThrow(/Infinite loop/);
  });

  it('refuses an inline function of enqueueActions, which no check of the machine can find', () => {
    const machine = setup({}).createMachine({
      id: 'm',
      on: {
        GO: { actions: enqueueActions(({ enqueue }) => enqueue(() => {})) },
        NAMED: { actions: enqueueActions(({ enqueue }) => enqueue(function notify() {})) },
      },
    });
    const first = begin(machine);
    expect(() => go(machine, first, 'GO')).toThrow(
      'The machine m has the inline action "(anonymous)", which a restart cannot find again',
    );
    expect(() => go(machine, first, 'NAMED')).toThrow('The machine m has the inline action "notify"');
  });

  it('ends with the output, or the error that nothing handles', () => {
    const machine = setup({ actors: { work } }).createMachine({
      initial: 'a',
      states: { a: { invoke: { src: 'work', id: 'w', input: 1, onDone: 'b' } }, b: { type: 'final' } },
      output: ({ event }) => ({ last: event.type }),
    });
    const first = begin(machine);
    const done = go(machine, first, 'xstate.done.actor.w', { output: 1, actorId: 'w' });
    expect(done).toMatchObject({ status: 'done', output: { last: 'xstate.done.state.(machine).b' } });
    const failed = go(machine, first, 'xstate.error.actor.w', { error: { name: 'E', message: 'no' }, actorId: 'w' });
    expect(failed).toMatchObject({ status: 'error', error: { name: 'E', message: 'no' }, isHandled: true });
    expect(failed.effects).toEqual([{ kind: 'stop', childId: 'w' }]);
    expect(failed.snapshot).toMatchObject({ error: { name: 'E', message: 'no' } });
  });

  it('reports that a state has no transition for an event, and follows wildcard and forbidden transitions', () => {
    const machine = setup({}).createMachine({
      initial: 'a',
      states: { a: { on: { NOTHING: undefined, 'x.*': {}, KEEP: { actions: [] } } } },
      on: { NOTHING: '.a' },
    });
    const first = begin(machine);
    expect(go(machine, first, 'OTHER').isHandled).toBe(false);
    expect(go(machine, first, 'KEEP').isHandled).toBe(true);
    expect(go(machine, first, 'x.y').isHandled).toBe(true);
  });

  it('sends to itself by a timer without delay, as XState does, also if the target does not exist', () => {
    const machine = setup({}).createMachine({
      on: {
        SELF: { actions: sendTo(({ self }) => self, { type: 'X' }) },
        OTHER: { actions: sendTo(({ system }) => system.get('missing'), { type: 'X' }) },
        STOP: { actions: stopChild('missing') },
        MANY: { actions: enqueueActions(({ enqueue }) => enqueue.raise({ type: 'X' }, { delay: 3 })) },
      },
    });
    const first = begin(machine);
    expect(go(machine, first, 'SELF').effects).toEqual([{ kind: 'raise', event: { type: 'X' }, delayMs: 0 }]);
    expect(go(machine, first, 'OTHER').effects).toEqual([{ kind: 'raise', event: { type: 'X' }, delayMs: 0 }]);
    expect(go(machine, first, 'STOP').effects).toEqual([]);
    expect(go(machine, first, 'MANY').effects).toEqual([{ kind: 'raise', event: { type: 'X' }, delayMs: 3 }]);
  });
});
