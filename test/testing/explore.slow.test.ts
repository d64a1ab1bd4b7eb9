import { describe, expect, it } from 'vitest';
import { setup } from 'xstate';
import { z } from 'zod';
import {
  assertEnds,
  ExplorationFailed,
  explore,
  formatExploration,
  type Exploration,
  type SituationSeen,
} from '../../src/testing.ts';
import { accepts, activity, ask, broadcast, tell } from '../../src/workflow.ts';
import { board, clocks, fragile, limbo, lost, rounds, successive, top } from './racing-machines.ts';
import { shipSystem } from './ship-system.ts';

interface AnyContext {
  readonly holders: readonly string[];
  readonly heard: string | readonly string[];
  readonly seen: string;
}

function contextOf(workflows: SituationSeen['workflows'], address: string): AnyContext {
  return workflows[address]?.context as AnyContext;
}

function summaries({ ends }: Exploration): string[] {
  return ends.map(({ summary }) => summary).sort();
}

describe('a system of three machines, an agent, a command, an ask, a child and a timer', () => {
  const explored = explore(shipSystem);

  it('reaches the wanted ends and no other', () => {
    const { states, transitions, depth, ends } = explored;
    console.log(`ship: ${states} states, ${transitions} transitions, depth ${depth}, ${ends.length} ends`);
    assertEnds(
      explored,
      ['red', 'cancelled', 'overdue', 'refused', 'shipped'].map((end) => `ship: ${end} (done), reviewer: free`),
    );
    expect(explored).toMatchObject({ isComplete: true, undelivered: [], endless: [], neverSent: [] });
    expect(states).toBe(53);
  });

  it('has the shortest way to each end, in the words of the system', () => {
    expect(explored.ends.find(({ summary }) => summary.includes('shipped'))?.path).toEqual([
      'ship ← GO from bob {"change":"c1"}',
      'ship runTests → exit code 0',
      'reviewer ← REVIEW from ship Please review c1',
      'reviewer read → {"approved":true}',
      'ship ← INFO from reviewer {"approved":true}',
      'ship.packing-4 ← START from ship',
      'ship ← progress from ship.packing-4',
      'ship.packing-4 pack → c1.tgz',
      'ship ← END from ship.packing-4 done',
    ]);
    expect(explored.ends.find(({ summary }) => summary.includes('overdue'))?.path).toContain(
      'ship timer patience of reviewing',
    );
  });

  it('leaves only what comes after the end of its recipient undone', () => {
    expect([...new Set(explored.deadLetters.map(({ reason, workflow }) => `${workflow}: ${reason}`))]).toEqual([
      'ship: ended',
    ]);
    expect(explored.failedSteps).toEqual([]);
  });

  it('is found the same in another order of its parts', () => {
    const { reviewer, ship } = shipSystem.workflows;
    const { bob } = shipSystem.agents;
    const again = explore({
      ...shipSystem,
      workflows: { reviewer, ship },
      agents: { bob: { ...bob, sends: bob.sends.toReversed() } },
    });
    expect([again.states, again.transitions]).toEqual([explored.states, explored.transitions]);
  });
});

describe('a race', () => {
  it('of a deadline with an answer that leaves no way out is found, with the shortest way to it', () => {
    const explored = explore({
      workflows: { ship: { machine: limbo } },
      agents: {
        bob: { sends: [{ to: 'ship', type: 'GO', always: true }] },
        reviewer: { answers: () => [{ type: 'INFO', content: 'fine' }] },
      },
    });
    const path = ['ship ← GO from bob', 'ship timer 1000 of asking', 'ship ← INFO from reviewer fine (too late)'];
    console.log(formatExploration(explored));
    expect(explored.ends).toEqual([
      expect.objectContaining({ summary: 'ship: over (done)' }),
      expect.objectContaining({ summary: 'ship: waiting', path }),
    ]);
    expect(explored.late).toMatchObject([{ workflow: 'ship', path }]);
    expect(() => assertEnds(explored, ['ship: over (done)'])).toThrow(
      `It ends in a way that is not wanted: ship: waiting\n${path.map((line) => `    ${line}`).join('\n')}`,
    );
  });

  it('of two for one claim is found, with the shortest way to it', () => {
    const claims = [{ to: 'board', type: 'CLAIM', always: true }] as const;
    const explored = explore({
      workflows: { board: { machine: board } },
      agents: { alice: { sends: claims }, bob: { sends: claims } },
      outcomes: () => [{ output: null }],
      invariant: ({ workflows }) => {
        const { holders } = contextOf(workflows, 'board');
        return holders.length > 1 ? `it is held by ${holders.length}` : undefined;
      },
    });
    const path = ['board ← CLAIM from alice', 'board ← CLAIM from bob'];
    console.log(formatExploration(explored));
    expect(explored.violations).toMatchObject([{ what: 'it is held by 2', path }]);
    expect(() => assertEnds(explored, ['board: taken'])).toThrow(
      /An invariant is violated: it is held by 2\n {4}board ← CLAIM from alice\n/,
    );
  });

  it('is also found by what the agents were told', () => {
    const remembers = ({ content }: { content: string }): string => content;
    const claims = { sends: [{ to: 'board', type: 'CLAIM', always: true }], remembers } as const;
    const explored = explore({
      workflows: { board: { machine: board } },
      agents: { alice: claims, bob: claims },
      outcomes: () => [{ output: null }],
      summarize: ({ agents }) => JSON.stringify(agents),
    });
    expect(summaries(explored)).toContain('{"alice":["it is yours"],"bob":["it is yours"]}');
  });

  it('of the last words of a child with its end: control mail does not wait for the rate limit', () => {
    const summarize = ({ workflows }: SituationSeen): string => [contextOf(workflows, 'top').heard].flat().join();
    expect(summaries(explore({ workflows: { top: { machine: top } }, summarize }))).toEqual(['END,INFO', 'INFO,END']);
  });
});

describe('timers of one workflow', () => {
  it('fire in every order that some clock allows, and in no other', () => {
    const explored = explore({
      workflows: { c: { machine: clocks } },
      summarize: ({ workflows }) => contextOf(workflows, 'c').seen,
    });
    // s at 10, t from 20 on, u 15 after t; L at 30 is due after s and t when they were on time, and always before u.
    expect(summaries(explored)).toEqual(['sLtu', 'stLu']);
  });
});

describe('an exploration', () => {
  it('tells what can never be delivered, as the event or the error that it is to the machine', () => {
    const explored = explore({
      workflows: { lost: { machine: lost } },
      agents: { bob: {} },
      summarize: ({ workflows }) =>
        [contextOf(workflows, 'lost').heard].flat().join().split(' ').sort().join(' ').trim(),
    });
    expect(summaries(explored)).toEqual(['ask bob:INVALID_INPUT noone:ACTOR_NOT_FOUND']);
    expect(explored.undelivered.map(({ to, code }) => `${to} ${code}`).sort()).toEqual([
      'bob INVALID_INPUT',
      'nobody ACTOR_NOT_FOUND',
      'noone ACTOR_NOT_FOUND',
    ]);
    expect(explored.undelivered[0]?.path).toEqual(['lost hears that INFO cannot be delivered to noone']);
  });

  it('tells steps that fail, dead letters, forgeries and what could never be sent', () => {
    const explored = explore({
      workflows: { fragile: { machine: fragile } },
      agents: {
        bob: {
          sends: [
            { to: 'fragile', type: 'PING', times: 2 },
            { to: 'gone', type: 'PING' },
            { to: 'fragile', type: 'PONG' },
          ],
        },
        mallory: {
          sends: [
            { to: 'fragile', type: 'STOP' },
            { to: 'fragile', type: 'END', data: { incarnation: 'x' } },
          ],
        },
        system: { sends: [{ to: 'fragile', type: 'STOP' }] },
      },
    });
    expect(summaries(explored)).toEqual(['fragile: -', 'fragile: - (stopped)']);
    expect(explored.failedSteps).toMatchObject([
      {
        error: 'one is enough',
        path: ['fragile ← PING from bob', 'fragile ← PING from bob (the step fails: one is enough)'],
      },
    ]);
    expect(
      [...new Set(explored.deadLetters.map(({ type, from, reason }) => `${type} ${from} ${reason}`))].sort(),
    ).toEqual([
      'END mallory ended',
      'END mallory not-believed',
      'PING bob ended',
      'PING bob step-failed',
      'PONG bob ended',
      'PONG bob undeclared-type',
      'STOP mallory not-believed',
    ]);
    expect(explored.neverSent).toEqual(['bob: PING to gone']);
    expect(() => assertEnds(explored, [/^fragile/])).toThrow('A step fails: message of fragile: one is enough');
  });

  it('tells what the machine has no transition for', () => {
    const machine = setup({ actors: { work: activity(async () => 1) } }).createMachine({
      initial: 'a',
      states: { a: { invoke: { src: 'work' } } },
    });
    const explored = explore({ workflows: { deaf: { machine } }, outcomes: () => [{ output: 1 }] });
    expect(explored.unhandled).toMatchObject([{ workflow: 'deaf', state: 'a', path: ['deaf work → 1 (unhandled)'] }]);
  });

  it('looks only once at each round of a machine that starts a child in each, and tells that it never ends', () => {
    const explored = explore({ workflows: { rounds: { machine: rounds } } });
    expect(explored).toMatchObject({ isComplete: true, ends: [], states: 6, endless: [{ count: 6 }] });
  });

  it('follows one child after the other under the same address', () => {
    const explored = explore({
      workflows: { s: { machine: successive } },
      agents: { bob: { sends: [{ to: 's', type: 'PING', times: 2, always: true }] } },
    });
    assertEnds(explored, ['s: over (done)']);
  });

  it('also ends where an agent or an activity that may be silent stays so', () => {
    const asked = (answers: () => ({ type: string } | null)[]): string[] =>
      summaries(
        explore({
          workflows: { ship: { machine: limbo } },
          agents: { bob: { sends: [{ to: 'ship', type: 'GO', always: true }] }, reviewer: { answers } },
        }),
      );
    expect(asked(() => [{ type: 'INFO' }])).toEqual(['ship: over (done)', 'ship: waiting']);
    const work = setup({ actors: { work: activity(async () => 1) } }).createMachine({
      initial: 'a',
      states: { a: { invoke: { src: 'work', onDone: 'b' } }, b: { type: 'final' } },
    });
    expect(summaries(explore({ workflows: { w: { machine: work } }, outcomes: () => [{ output: 1 }, null] }))).toEqual([
      'w: a',
      'w: b (done)',
    ]);
    // What bob may send he may also never send.
    expect(
      summaries(
        explore({
          workflows: { ship: { machine: limbo } },
          agents: { bob: { sends: [{ to: 'ship', type: 'GO' }] }, reviewer: {} },
        }),
      ),
    ).toEqual(['ship: idle', 'ship: waiting']);
  });

  it('has an agent say several things in their order, answer somebody else, and broadcast', () => {
    const explored = explore({
      workflows: { board: { machine: board } },
      agents: {
        alice: { sends: [{ to: 'all', type: 'INFO', content: 'go', always: true }] },
        bob: {
          answers: ({ from }) =>
            from === 'alice'
              ? [
                  [
                    { type: 'CLAIM', to: 'board' },
                    { type: 'CLAIM', to: 'board' },
                  ],
                ]
              : [],
        },
      },
      outcomes: () => [{ output: null }],
    });
    assertEnds(explored, ['board: taken']);
    expect(explored.ends[0]?.path.slice(0, 2)).toEqual([
      'alice sends INFO go to bob',
      'bob sends CLAIM to board, then CLAIM to board',
    ]);
  });

  it('says honestly that it has not seen everything', () => {
    const explored = explore({ ...shipSystem, statesMax: 20 });
    expect(explored).toMatchObject({ states: 20, isComplete: false, endless: [] });
    expect(formatExploration(explored)).toContain('NOT COMPLETE');
    expect(() => assertEnds(explored, () => true)).toThrow('Only 20 states were looked at');
  });

  it('ends where something grows without end, and names what', () => {
    const again = { 1_000: { target: 'asking', reenter: true } };
    const asking = setup({ actors: { q: ask('rev') } }).createMachine({
      initial: 'asking',
      states: {
        asking: { invoke: { src: 'q', input: { type: 'QUESTION', content: '?' }, onDone: 'over' }, after: again },
        over: { type: 'final' },
      },
    });
    const patient = explore({
      workflows: { r: { machine: asking } },
      agents: { rev: { answers: () => [{ type: 'INFO' }, null] } },
    });
    expect(patient).toMatchObject({ isComplete: false, cutOff: expect.stringMatching(/^rev may still answer more/) });
    expect(() => assertEnds(patient, () => true)).toThrow(/looked at; rev may still answer more than 100 messages/);
    const few = explore({
      workflows: { r: { machine: asking } },
      agents: { rev: { answers: () => [{ type: 'INFO' }, null] } },
      statesMax: 50,
    });
    expect(few.transitions).toBeLessThan(26 * 50);
    const heart = setup({}).createMachine({
      initial: 'asking',
      states: { asking: { after: again, entry: tell('watch', { type: 'INFO', content: 'I live' }) } },
    });
    const watch = setup({ schemas: accepts({ INFO: z.unknown() }) }).createMachine({ on: { INFO: { reenter: true } } });
    const beating = explore({ workflows: { watch: { machine: watch }, heart: { machine: heart } }, statesMax: 400 });
    expect(formatExploration(beating)).toContain(
      'NOT COMPLETE: more than 100 messages are on their way, the last from heart to watch',
    );
  });

  it('tells what happens to actors whose names end in a number of each of them', () => {
    const machine = setup({}).createMachine({});
    const { deadLetters } = explore({
      workflows: { 'agent-1': { machine }, 'agent-2': { machine } },
      agents: { bob: { sends: [1, 2].map((at) => ({ to: `agent-${at}`, type: 'STOP' })) } },
    });
    expect(deadLetters.map(({ workflow }) => workflow).sort()).toEqual(['agent-1', 'agent-2']);
  });

  it('tells a child, too, that its broadcast reaches nobody', () => {
    const child = setup({}).createMachine({
      initial: 'on',
      entry: broadcast({ type: 'INFO', content: 'hello' }),
      states: { on: { on: { 'mailroom.delivery-failed': 'alone' } }, alone: { type: 'final' } },
    });
    const machine = setup({ actors: { child } }).createMachine({
      initial: 'on',
      states: { on: { invoke: { src: 'child', id: 'child', onDone: 'over' } }, over: { type: 'final' } },
    });
    const explored = explore({ workflows: { p: { machine } } });
    assertEnds(explored, ['p: over (done)']);
    expect(explored.undelivered).toMatchObject([{ to: 'all', code: 'MESSAGE_REFUSED' }]);
  });

  it('names what an author forgot', () => {
    const work = setup({ actors: { work: activity(async () => 1) } }).createMachine({ invoke: { src: 'work' } });
    expect(() => explore({ workflows: { w: { machine: work } } })).toThrow(
      'the activity "work" of w is invoked, and outcomes does not say how it may end',
    );
    expect(() => explore({ workflows: { 'No Address': { machine: rounds } } })).toThrow(
      'no workflow can have the address "No Address"',
    );
    expect(() => explore({ workflows: { a: { machine: rounds } }, agents: { a: {} } })).toThrow(
      '"a" is both a workflow and an agent',
    );
    const sends =
      (mail: object): (() => unknown) =>
      () =>
        explore({
          workflows: { a: { machine: rounds } },
          agents: { bob: { sends: [{ to: 'a', type: 'X', ...mail }] } },
        });
    expect(sends({ data: new Date(0) })).toThrow('bob sends X with something at data that JSON cannot represent');
    expect(sends({ times: 0 })).toThrow('bob sends X 0 times');
    expect(sends({ to: 'A b' })).toThrow('bob sends X to "A b", which is no address');
    const plain = setup({ actions: { plain: () => {} } }).createMachine({ id: 'm', entry: 'plain' });
    expect(() => explore({ workflows: { a: { machine: plain } } })).toThrow('cannot be run durably');
  });
});

describe('assertEnds', () => {
  const explored = explore(shipSystem);

  it('takes summaries, patterns, or a question', () => {
    assertEnds(explored, [/^ship: .* \(done\), reviewer: free$/]);
    assertEnds(explored, ({ workflows }) => workflows['ship']?.status === 'done');
  });

  it('fails for an end that is wanted and never reached', () => {
    expect(() => assertEnds(explored, [/^ship: /, 'ship: lost'])).toThrow(
      new ExplorationFailed('It never ends so: ship: lost\n'),
    );
  });

  it('fails where no end can be reached any more, beside those that are wanted', () => {
    const machine = setup({ schemas: accepts({ GO: z.unknown(), CANCEL: z.unknown() }) }).createMachine({
      initial: 'idle',
      states: {
        idle: { on: { GO: 'over', CANCEL: 'reminding' } },
        reminding: { after: { 1_000: { target: 'reminding', reenter: true } } },
        over: { type: 'final' },
      },
    });
    const sends = [
      { to: 'trap', type: 'GO', always: true },
      { to: 'trap', type: 'CANCEL' },
      { to: 'nobody', type: 'INFO' },
    ];
    const found = explore({ workflows: { trap: { machine } }, agents: { bob: { sends } } });
    for (const wanted of [['trap: over (done)'], () => true]) {
      expect(() => assertEnds(found, wanted)).toThrow(
        /^It may never end: from here on .*\n {4}trap ← CANCEL from bob\nNever sent, .*: bob: INFO to nobody\n$/,
      );
    }
  });

  it('does not call an end impossible that may be among what was not looked at', () => {
    const cut = explore({ ...shipSystem, statesMax: 2 });
    expect(() => assertEnds(cut, ['ship: shipped (done)'])).toThrow(/^Only 2 states/);
  });
});
