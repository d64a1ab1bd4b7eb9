import {
  and,
  assign,
  emit,
  enqueueActions,
  fromCallback,
  fromEventObservable,
  fromObservable,
  fromPromise,
  fromTransition,
  not,
  or,
  raise,
  sendParent,
  sendTo,
  setup,
  spawnChild,
  stateIn,
  type AnyStateMachine,
} from 'xstate';
import { describe, expect, it } from 'vitest';
import { checkMachine } from '../../src/step/check-machine.ts';
import { InvalidInput } from '../../src/errors.ts';
import { accepts, action, activity, ask, broadcast, command, reply, tell } from '../../src/workflow.ts';

const work = activity(async (_input: unknown) => 1);
const quiet = setup({}).createMachine({ id: 'quiet' });

/** A machine that may have an error which TypeScript would reject. */
function machineOf(config: unknown, implementations: unknown = {}): AnyStateMachine {
  return setup(implementations as never).createMachine(config as never) as unknown as AnyStateMachine;
}

/** The error with which the machine is refused. */
function refusalOf(machine: AnyStateMachine): { message: string; hint: string | undefined } {
  try {
    checkMachine(machine);
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    return { message: error.message, hint: error.hint };
  }
  throw new Error('it was not refused');
}

describe('checkMachine', () => {
  it('lets everything through that an author is told to write', () => {
    const mail = accepts({ GO: { safeParse: (data: unknown) => ({ success: true, data }) } as never });
    const machine = setup({
      schemas: mail,
      types: { context: {} as { n: number }, events: {} as { type: 'A' } | { type: 'B' } | { type: 'C' } },
      actors: { work, quiet, review: ask('bob'), build: command(() => ({ file: 'make', args: [] })) },
      actions: {
        note: action(() => {}),
        count: assign({ n: 1 }),
        shout: broadcast({ type: 'INFO', content: '' }),
      },
      guards: { isOpen: () => true },
      delays: { patience: 5 },
    }).createMachine({
      id: 'fine',
      context: { n: 0 },
      initial: 'a',
      entry: ['note', 'count', { type: 'shout' }],
      states: {
        a: {
          invoke: [
            {
              src: 'work',
              onDone: {
                actions: enqueueActions(({ enqueue, check }) => {
                  if (check('isOpen')) enqueue('note');
                  enqueue.assign({ n: 2 });
                }),
              },
            },
            { src: 'review', input: { type: 'INFO', content: '' } },
            { src: 'quiet', id: 'q' },
          ],
          after: { patience: 'b' },
          on: {
            A: { guard: 'isOpen', actions: [tell('bob', { type: 'INFO', content: '' }), raise({ type: 'B' })] },
            B: { guard: stateIn('a'), actions: [reply({ type: 'INFO', content: '' }), sendTo('q', { type: 'X' })] },
            C: {
              guard: () => false,
              actions: [spawnChild('work', { id: 'w' }), emit({ type: 'x' }), sendParent({ type: 'y' })],
            },
          },
          exit: assign({ n: ({ context }) => context.n + 1 }),
        },
        b: { always: { guard: 'isOpen', target: 'c' } },
        c: { type: 'final' },
      },
    });
    expect(() => checkMachine(machine)).not.toThrow();
  });

  const plain = (): number => 1;
  const refused: [what: string, machine: AnyStateMachine, place: string, hint: string][] = [
    [
      'an inline action',
      machineOf({ entry: plain }),
      'entry of m has the inline action plain',
      "as action((params, { effectId }) => …), and write { type: '<name>', params }",
    ],
    [
      'one on the way out',
      machineOf({ initial: 'a', states: { a: { exit: () => {} } } }),
      'exit of m.a has the inline action exit',
      'action(',
    ],
    [
      'one of a transition',
      machineOf({ on: { GO: { actions: [plain] } } }),
      'on GO of m has the inline action plain',
      'action(',
    ],
    [
      'one of a delayed transition',
      machineOf({ after: { 5: { actions: plain } } }),
      'on xstate.after.5.m of m has the inline action plain',
      'action(',
    ],
    [
      'one of an eventless transition',
      machineOf({ initial: 'a', states: { a: { always: { guard: () => false, actions: plain } } } }),
      'of m.a has the inline action plain',
      'action(',
    ],
    [
      'one of an initial transition',
      machineOf({ initial: { target: 'a', actions: plain }, states: { a: {} } }),
      'a transition of m has the inline action plain',
      'action(',
    ],
    [
      'one of the end of a state',
      machineOf({
        initial: 'a',
        states: { a: { initial: 'b', states: { b: { type: 'final' } }, onDone: { actions: plain } } },
      }),
      'on xstate.done.state.m.a of m.a has the inline action plain',
      'action(',
    ],
    [
      'one of the end of a child',
      machineOf({ invoke: { src: 'work', id: 'w', onDone: { actions: plain } } }, { actors: { work } }),
      'on xstate.done.actor.w of m has the inline action plain',
      'action(',
    ],
    [
      'a named action that is a plain function',
      machineOf({}, { actions: { notify: () => {} } }),
      'actions.notify is a plain function',
      'Write notify: action((params, { effectId }) => …)',
    ],
    [
      'an action that is not there',
      machineOf({ entry: 'notfy' }, { actions: { notify: action(() => {}) } }),
      'names the action "notfy", which is not among the actions',
      'Did you mean notify?',
    ],
    [
      'the same with params',
      machineOf({ entry: { type: 'else', params: {} } }),
      'names the action "else"',
      'Name it under actions in setup().',
    ],
    [
      'a guard that is not there',
      machineOf({ on: { GO: { guard: 'isOpn' } } }, { guards: { isOpen: () => true } }),
      'on GO of m names the guard "isOpn", which is not among the guards',
      'Did you mean isOpen?',
    ],
    [
      'an actor that is not there',
      machineOf({ initial: 'a', states: { a: { invoke: { src: 'wrk' } } } }, { actors: { work } }),
      'invoke 1 of m.a names "wrk", which is not among the actors',
      'Did you mean work?',
    ],
    [
      'inline logic',
      machineOf({ invoke: { src: work } }),
      'invoke 1 of m has inline activity logic',
      "Name it under actors in setup() and write src: '<name>'.",
    ],
    [
      'snapshots of a child',
      machineOf({ invoke: { src: 'work', onSnapshot: {} } }, { actors: { work } }),
      'invoke 1 of m has onSnapshot',
      'Have the child send an event instead',
    ],
    [
      'an inline promise',
      machineOf({ invoke: [{ src: 'work' }, { src: fromPromise(async () => 1) }] }, { actors: { work } }),
      'invoke 2 of m has inline fromPromise logic',
      "Name it under actors in setup() and write src: '<name>'.",
    ],
    [
      'an inline machine',
      machineOf({ invoke: { src: quiet } }),
      'invoke 1 of m has an inline machine',
      "Name it under actors in setup() and write src: '<name>'.",
    ],
    [
      'a callback',
      machineOf({}, { actors: { p: fromCallback(() => {}) } }),
      'actors.p is fromCallback logic',
      'fromPromise(async ({ input, signal }) => …)',
    ],
    [
      'an inline callback',
      machineOf({ invoke: { src: fromCallback(() => {}) } }),
      'invoke 1 of m has inline fromCallback logic',
      'for an interval use after',
    ],
    [
      'an observable',
      machineOf({}, { actors: { p: fromObservable(() => ({ subscribe: () => ({ unsubscribe: () => {} }) })) } }),
      'actors.p is fromObservable logic',
      'have an agent send mail',
    ],
    [
      'observed events',
      machineOf({}, { actors: { p: fromEventObservable(() => ({ subscribe: () => ({ unsubscribe: () => {} }) })) } }),
      'actors.p is fromObservable logic',
      'have an agent send mail',
    ],
    [
      'logic of nobody',
      machineOf({}, { actors: { p: { ...fromPromise(async () => 1), config: undefined } } }),
      'actors.p is logic, which cannot resume after a restart',
      'activity(',
    ],
    [
      'transition logic',
      machineOf({}, { actors: { p: fromTransition((state: number) => state, 0) } }),
      'actors.p is fromTransition logic',
      'Write it as a machine',
    ],
    [
      'spawning without an id',
      machineOf({ entry: spawnChild('work' as never) }, { actors: { work } }),
      'entry of m spawns "work" without an id',
      "Write spawnChild('work', { id: '…' }).",
    ],
    [
      'spawning logic in place',
      machineOf({ entry: spawnChild(work as never, { id: 'w' }) }),
      'entry of m has inline activity logic',
      "spawnChild('<name>', { id: '…' })",
    ],
    [
      'spawning what is not there',
      machineOf({ entry: spawnChild('wrk' as never, { id: 'w' }) }, { actors: { work } }),
      'entry of m spawns "wrk", which is not among the actors',
      'Did you mean work?',
    ],
    [
      'spawning with snapshots',
      machineOf({ entry: spawnChild('work' as never, { id: 'w', syncSnapshot: true }) }, { actors: { work } }),
      'entry of m has syncSnapshot',
      'Have the child send an event instead',
    ],
  ];
  it.each(refused)('refuses %s, and names the place and the way to write it', (_, machine, place, hint) => {
    const named =
      machine.config.id === undefined ? machineOf({ ...machine.config, id: 'm' }, machine.implementations) : machine;
    const refusal = refusalOf(named);
    expect(refusal.message).toContain('The machine m cannot be run durably: ');
    expect(refusal.message).toContain(place);
    expect(refusal.hint).toContain(hint);
  });

  it('finds names that XState takes for nothing: of delays, of guards inside others, and a question to all', () => {
    const over = { over: { type: 'final' } };
    const implementations = { guards: { isReady: () => true }, delays: { patience: 5 } };
    const misnamed: readonly [config: unknown, message: string, hint: string][] = [
      [{ always: { guard: not('isRedy'), target: 'over' } }, 'names the guard "isRedy"', 'Did you mean isReady?'],
      [
        { always: { guard: and(['isReady', or([not('isRedy')])]), target: 'over' } },
        'names the guard "isRedy"',
        'isReady',
      ],
      [{ after: { patiense: 'over' } }, 'after of m.a names the delay "patiense"', 'Did you mean patience?'],
      [
        { entry: raise({ type: 'X' }, { delay: 'patiense' as never }) },
        'entry of m.a (xstate.raise) names the delay',
        'patience?',
      ],
      [
        { entry: sendTo('k', { type: 'X' }, { delay: 'patiense' as never }) },
        'entry of m.a (xstate.sendTo) names the delay',
        '',
      ],
    ];
    for (const [config, message, hint] of misnamed) {
      const told = refusalOf(machineOf({ id: 'm', initial: 'a', states: { a: config, ...over } }, implementations));
      expect(told.message).toContain(message);
      expect(told.message).not.toContain(';');
      expect(told.hint).toContain(hint);
    }
    const fine = { after: { 10: 'over', patience: 'over' }, always: { guard: not('isReady'), target: 'over' } };
    checkMachine(machineOf({ id: 'm', initial: 'a', states: { a: fine, ...over } }, implementations));
    const toAll = machineOf({ id: 'm' }, { actors: { q: ask('all') } });
    expect(refusalOf(toAll).message).toContain('actors.q asks everybody, but an ask takes one answer');
  });

  it('names every place and the way to write it there, those of child machines by the way to them', () => {
    const inner = machineOf({ id: 'inner', entry: plain });
    const p = fromCallback(() => {});
    const middle = machineOf({ id: 'middle' }, { actors: { inner } });
    const outer = machineOf({ id: 'outer', exit: plain }, { actors: { middle, p } });
    const { message, hint } = refusalOf(outer);
    expect(message).toContain('middle › inner › entry of inner has the inline action plain');
    expect(message).toContain('actors.p is fromCallback logic');
    expect(message).toContain('exit of outer has the inline action plain');
    expect(hint?.split('\n').map((line) => line.split(': ')[0])).toEqual([
      'middle › inner › entry of inner',
      'actors.p',
      'exit of outer',
    ]);
  });

  it('looks into an inline machine', () => {
    const outer = machineOf({ id: 'outer', invoke: { src: machineOf({ id: 'inner', entry: plain }) } });
    expect(refusalOf(outer).message).toContain('invoke 1 of outer › entry of inner has the inline action plain');
  });

  it('treats a named promise as an activity, without running it', () => {
    let ran = 0;
    const p = fromPromise(async () => (ran += 1));
    expect(() => checkMachine(machineOf({ id: 'm', invoke: { src: 'p' } }, { actors: { p } }))).not.toThrow();
    expect(() => checkMachine(machineOf({ invoke: { src: 'p' } }).provide({ actors: { p } as never }))).not.toThrow();
    expect(ran).toBe(0);
  });

  it('checks a machine that is its own child only once', () => {
    const actors: Record<string, unknown> = { work };
    const machine = machineOf({ id: 'loop', invoke: { src: 'again' } }, { actors });
    Object.assign(machine.implementations.actors, { again: machine });
    expect(() => checkMachine(machine)).not.toThrow();
  });
});
