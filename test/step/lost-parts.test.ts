import { assign, enqueueActions, raise, setup, spawnChild, type AnyStateMachine } from 'xstate';
import { expect, test } from 'vitest';
import { lostParts } from '../../src/step/lost-parts.ts';
import { activity, ask, command, tell } from '../../src/workflow.ts';
import { Played } from './mail.ts';

// Any changed code could be accepted; a state that the code no longer had refused all mail for good.

const actors = {
  work: activity(async () => 1),
  run: command(() => ({ file: 'true', args: [] })),
  asked: ask('bob', { question: () => ({ type: 'QUESTION', content: '?' }) }),
  kid: setup({}).createMachine({ id: 'kid' }),
};

const made = (config: object, own: object = actors): AnyStateMachine =>
  setup({ actors: own as typeof actors }).createMachine({ id: 'm', ...config } as never) as unknown as AnyStateMachine;

/** The lost parts of the state of a machine that has started and taken these events. */
function lost(before: object, after: object, { events = [], own }: { events?: string[]; own?: object } = {}): string[] {
  const played = new Played(made(before));
  for (const event of events) played.event(event);
  expect(lostParts(made(before), played.state)).toEqual([]);
  return lostParts(made(after, own), played.state);
}

const atA = { initial: 'a', states: { a: {}, b: {} } };

test.each([
  ['the state', atA, { initial: 'b', states: { b: {} } }, 'the state "a"'],
  [
    'an inner state',
    { initial: 'o', states: { o: atA } },
    { initial: 'o', states: { o: { initial: 'b', states: { b: {} } } } },
    'the state "o.a"',
  ],
  ['a state without states', atA, { initial: 'a', states: { a: atA } }, 'the state "a" without states in it'],
  ['a state with states', { initial: 'a', states: { a: atA } }, atA, 'the state "a.a"'],
  [
    'a state that is no end',
    atA,
    { initial: 'a', states: { a: { type: 'final' } } },
    'the state "a" as one that is not final',
  ],
  ['a state that is one', atA, { initial: 'b', states: { a: { type: 'history' }, b: {} } }, 'the state "a"'],
  [
    'only its regions',
    { type: 'parallel', states: { a: {} } },
    { type: 'parallel', states: { a: {}, b: {} } },
    'its first level without the region "b"',
  ],
])('%s has to be there', (_what, before, after, what) => {
  expect(lost(before, after)).toEqual([what]);
});

test('a state that history leads back to must exist', () => {
  const remembering = (inner: string) => ({
    initial: 'in',
    states: { in: { initial: inner, states: { [inner]: {}, h: { type: 'history' } }, on: { OUT: 'out' } }, out: {} },
  });
  expect(lost(remembering('x'), remembering('y'), { events: ['OUT'] })).toEqual([
    'the state "m.in.x", to which history leads back',
  ]);
});

test.each(Object.keys(actors))(
  'the %s that it waits for has to be there, as what it was, in the state that it is in',
  (src) => {
    const { [src as keyof typeof actors]: logic, ...others } = actors;
    const invoking = { initial: 'a', states: { a: { invoke: { src, id: 'x', input: 'bob' } } } };
    const kind = { work: 'activity', run: 'command', asked: 'ask', kid: 'machine' }[src];
    expect(lost(invoking, {}, {})).toEqual(['the state "a"']);
    expect(lost(invoking, invoking, { own: others })).toEqual([
      `the ${kind} "${src}" among its actors, for which it waits`,
    ]);
    const other = src === 'work' ? actors.run : actors.work;
    expect(lost(invoking, invoking, { own: { ...others, [src]: other } })).toEqual([
      `"${src}" among its actors as ${kind}`,
    ]);
    const renamed = { initial: 'a', states: { a: { invoke: { src, id: 'y' } } } };
    expect(lost(invoking, renamed)).toEqual([`the ${kind} "${src}" under the id "x" in a state that it is in`]);
    expect(lost(invoking, { ...invoking, on: { NEW: {} } })).toEqual([]);
    expect(logic).toBeDefined();
  },
);

test('spawned work needs an action that spawns it, unless that cannot be known', () => {
  const spawning = (id: string) => ({ ...atA, entry: spawnChild('work', { id }) });
  expect(lost(spawning('x'), spawning('y'))).toEqual(['the activity "work" under the id "x" in a state that it is in']);
  expect(lost(spawning('x'), { ...atA, on: { GO: { actions: spawnChild('work', { id: 'x' }) } } })).toEqual([]);
  expect(lost(spawning('x'), { ...atA, exit: enqueueActions(() => {}) })).toEqual([]);
});

test('a pending timer needs a transition for its event', () => {
  const waiting = (delay: number) => ({ initial: 'a', states: { a: { after: { [delay]: 'b' } }, b: {} } });
  expect(lost(waiting(500), waiting(900))).toEqual(['"after 500" in the state "m.a"']);
  const raising = { ...atA, entry: raise({ type: 'WAKE.up' }, { delay: 5, id: 'w' }), on: { 'WAKE.up': {} } };
  expect(lost(raising, atA)).toEqual(['a transition for "WAKE.up", which the timer "w" brings']);
  for (const on of [{ '*': {} }, { 'WAKE.*': {} }]) expect(lost(raising, { ...atA, on })).toEqual([]);
  expect(lost(raising, { initial: 'a', states: { a: {}, b: { on: { 'WAKE.up': {} } } } })).toEqual([]);
  // A delayed message needs nothing from the machine.
  const telling = { ...atA, entry: tell('bob', { type: 'INFO', content: '' }, { delay: 5 }) };
  expect(lost(telling, { ...atA, entry: assign({}) })).toEqual([]);
});
