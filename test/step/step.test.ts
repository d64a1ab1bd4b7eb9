import { assign, cancel, sendParent, sendTo, setup, spawnChild, stopChild } from 'xstate';
import { describe, expect, it } from 'vitest';
import { stepWorkflow } from '../../src/step/step.ts';
import type { Cause } from '../../src/step/cause.ts';
import { action, activity, ask, reply, tell } from '../../src/workflow.ts';
import { messageOf, Played, RUN } from './mail.ts';

const work = activity(async (_input: unknown) => 1);
const quiet = setup({}).createMachine({ id: 'quiet' });

function draftsOf({ last }: Played): string[] {
  return last.mail.map(({ to, draft }) => `${draft.type} to ${to.join()}`);
}

describe('advance', () => {
  it('gives each effect an id of incarnation, step and place, and each message the next id', () => {
    const machine = setup({ actors: { work, quiet }, actions: { note: action(() => {}) } }).createMachine({
      entry: [
        tell('bob', { type: 'INFO', content: 'a' }),
        { type: 'note' },
        spawnChild('work', { id: 'w' }),
        spawnChild('quiet', { id: 'Q 1', input: { a: 1 } }),
        sendTo('Q 1', { type: 'PING' }),
        tell('bob', { type: 'INFO', content: 'b' }, { delay: 9, id: 'later' }),
      ],
    });
    const { last, state } = new Played(machine);
    expect(last.mail.map(({ id, effectId, to, isControl }) => [id.at(-1), effectId, to[0], isControl])).toEqual([
      ['1', `${RUN}.1.0`, 'bob', false],
      ['2', `${RUN}.1.3`, 'ship.q-1-1', true],
      ['3', `${RUN}.1.4`, 'ship.q-1-1', true],
    ]);
    expect(last.actions).toEqual([{ effectId: `${RUN}.1.1`, type: 'note' }]);
    expect(state.calls).toEqual({
      w: { src: 'work', effectId: `${RUN}.1.2`, since: 1_000, kind: 'activity' },
      'Q 1': { src: 'quiet', effectId: `${RUN}.1.3`, since: 1_000, kind: 'machine', address: 'ship.q-1-1' },
    });
    expect(state.timers).toMatchObject({ later: { effectId: `${RUN}.1.5`, dueAt: 1_009, mail: { to: ['bob'] } } });
    expect(last.mail[1]?.draft).toMatchObject({
      type: 'START',
      data: { incarnation: `${RUN}.1.3`, src: 'quiet', input: { a: 1 } },
    });
    expect(last.mail[2]?.draft).toMatchObject({
      type: 'EVENT',
      data: { incarnation: `${RUN}.1.3`, event: { type: 'PING' } },
    });
  });

  const boom = (): never => {
    throw new RangeError('boom');
  };
  const fragile = setup({ types: { context: {} as { n: number } }, actors: { work, quiet } }).createMachine({
    context: { n: 0 },
    initial: 'a',
    invoke: { src: 'quiet', id: 'c' },
    states: {
      a: {
        invoke: { src: 'work', id: 'w', onDone: { actions: assign({ n: boom }) } },
        after: { 5: { guard: boom, target: 'b' } },
        on: {
          GUARD: { guard: boom, target: 'b' },
          ASSIGN: { actions: [assign({ n: 7 }), assign({ n: boom })], target: 'b' },
          TELL: { actions: tell(boom, { type: 'INFO', content: '' }), target: 'b' },
        },
      },
      b: {},
    },
  });
  const nothing = { verdict: 'failed', mail: [], actions: [] };
  const STOPPED: Cause = { kind: 'stop', event: { type: 'xstate.stop' } };

  it('keeps the state and consumes a message at which a guard, an assign or an expression throws', () => {
    const played = new Played(fragile);
    const { snapshot } = played.state;
    for (const type of ['GUARD', 'ASSIGN', 'TELL']) {
      expect(played.event(type)).toMatchObject(nothing);
      expect(played.last.failure?.message).toContain('boom');
      // XState replaces the error of a guard with its own.
      expect(played.last.failure?.place ?? '').toMatch(type === 'GUARD' ? /^$/ : /\/step\.test\.ts:\d+:\d+$/);
      expect(played.state.snapshot).toEqual(snapshot);
    }
    expect(played.state).toMatchObject({ status: 'active', steps: 4 });
    expect(played.state.failed).toBeUndefined();
  });

  it('becomes FAILED, otherwise unchanged, if it throws at a timer or a result, and retries it', () => {
    const played = new Played(fragile);
    const before = played.state;
    for (const take of [() => played.result('w', 1), () => played.timer('xstate.after.5.(machine).a')]) {
      expect(take()).toMatchObject(nothing);
      const { failed, ...kept } = played.state;
      expect(kept).toEqual(before);
      expect(failed?.failure.message).toContain('boom');
      expect(played.take(failed?.cause as Cause)).toMatchObject(nothing);
    }
  });

  it('takes the failed cause once it can, as if it had never failed', () => {
    let isBroken = true;
    const machine = setup({ types: { context: {} as { n: number } } }).createMachine({
      context: { n: 0 },
      initial: 'a',
      states: { a: { after: { 5: { target: 'b', actions: assign({ n: () => (isBroken ? boom() : 1) }) } } }, b: {} },
    });
    const [played, other] = [new Played(machine), new Played(machine)];
    const { cause } = played.timer('xstate.after.5.(machine).a').state.failed ?? {};
    isBroken = false;
    expect(played.take(cause as Cause, 9_000)).toEqual(other.take(cause as Cause, 9_000));
    expect(played.state).toMatchObject({ steps: 2, timers: {} });
  });

  it("ends a child that throws at a cause that is never repeated, and the child's children with it", () => {
    const parent = { address: 'top', childId: 'me', src: 'x' };
    const played = new Played(fragile, { parent });
    played.result('w', 1);
    expect(played.last.verdict).toBe('failed');
    expect(played.state).toMatchObject({ status: 'error', calls: {}, timers: {}, error: { name: 'RangeError' } });
    expect(played.state.error).not.toHaveProperty('place');
    expect(draftsOf(played)).toEqual([expect.stringMatching(/^STOP to ship\.c-1$/), 'END to top']);
    // A message that anybody may send does not end it.
    expect(new Played(fragile, { parent }).event('ASSIGN').state.status).toBe('active');
  });

  it('can be stopped while FAILED, even if its machine cannot read the state', () => {
    for (const [machine, fail] of [
      [fragile, (played: Played) => played.result('w', 1)],
      [fragile, (played: Played) => Object.assign(played.state.snapshot as object, { value: 'gone' })],
    ] as const) {
      const played = new Played(machine);
      fail(played);
      expect(played.take(STOPPED).state).toMatchObject({ status: 'stopped', calls: {}, timers: {} });
      expect(played.state.failed).toBeUndefined();
      expect(draftsOf(played)).toEqual([expect.stringMatching(/^STOP to ship\.c-1$/)]);
    }
  });

  it('ends with the error if the first step throws, and tells the parent', () => {
    const machine = setup({ types: { context: {} as { n: number } } }).createMachine({
      context: () => {
        throw new TypeError('no context');
      },
    });
    const played = new Played(machine, { parent: { address: 'top', childId: 'c', src: 'x' } });
    expect(played.last).toMatchObject({ verdict: 'failed', failure: { name: 'TypeError', message: 'no context' } });
    expect(played.state).toMatchObject({ status: 'error', snapshot: null, error: { message: 'no context' } });
    expect(draftsOf(played)).toEqual(['END to top']);
    expect(played.event('GO').verdict).toBe('unhandled');
  });

  it('sends nothing about a child that is started and stopped in one step', () => {
    const machine = setup({ actors: { quiet, work, review: ask('bob') } }).createMachine({
      initial: 'idle',
      states: {
        idle: { on: { GO: 'passing' } },
        passing: {
          invoke: [
            { src: 'quiet', id: 'c' },
            { src: 'work', id: 'w' },
            { src: 'review', id: 'r', input: { type: 'QUESTION', content: '?' } },
          ],
          exit: sendTo('c', { type: 'PING' }),
          always: 'idle',
        },
      },
    });
    const played = new Played(machine);
    played.event('GO');
    expect(played.last).toMatchObject({ verdict: 'stepped', mail: [] });
    expect(played.state.calls).toEqual({});
  });

  it('stops the former child of the same systemId before it starts the next', () => {
    const machine = setup({ actors: { quiet } }).createMachine({
      initial: 'a',
      states: {
        a: { invoke: { src: 'quiet', id: 'c', systemId: 'helper' }, on: { AGAIN: { target: 'a', reenter: true } } },
      },
    });
    const played = new Played(machine);
    played.event('AGAIN');
    expect(
      played.last.mail.map(({ draft, to }) => [draft.type, to[0], (draft.data as { incarnation: string }).incarnation]),
    ).toEqual([
      ['STOP', 'helper', `${RUN}.1.0`],
      ['START', 'helper', `${RUN}.2.1`],
    ]);
  });

  it('gives a second child of the same id an address of its own', () => {
    const machine = setup({ actors: { quiet } }).createMachine({
      on: {
        GO: { actions: [spawnChild('quiet', { id: 'c' }), spawnChild('quiet', { id: 'C' })] },
        STOP: { actions: [stopChild('c'), stopChild('C')] },
      },
    });
    const played = new Played(machine);
    const addresses = (): unknown[] =>
      Object.values(played.state.calls).map((call) => 'address' in call && call.address);
    played.event('GO');
    expect(addresses()).toEqual(['ship.c-2', 'ship.c-2-2']);
    played.event('STOP');
    expect(draftsOf(played)).toEqual(['STOP to ship.c-2', 'STOP to ship.c-2-2']);
    played.event('GO');
    expect(addresses()).toEqual(['ship.c-4', 'ship.c-4-2']);
  });

  it('replies to the message that caused the step, in its thread; anywhere else the step fails', () => {
    const machine = setup({}).createMachine({
      on: { ASK: { actions: reply({ type: 'INFO', content: 'yes' }) } },
      after: { 5: { actions: reply({ type: 'INFO', content: 'whom?' }) } },
    });
    const played = new Played(machine);
    const { id } = messageOf({});
    played.event('ASK');
    expect(played.last.mail[0]).toMatchObject({ to: ['bob'], draft: { replyTo: id, threadId: id } });
    expect(played.timer('xstate.after.5.(machine)').failure?.message).toContain(
      'replies in a step that no message caused',
    );
  });

  it('sends delayed mail when its timer fires, without a step of the machine, unless it was cancelled', () => {
    const machine = setup({}).createMachine({
      entry: tell('bob', { type: 'INFO', content: 'later' }, { delay: 10, id: 'm' }),
      on: { STOP: { actions: cancel('m') } },
    });
    const played = new Played(machine);
    const cancelled = new Played(machine);
    cancelled.event('STOP');
    expect(cancelled.state.timers).toEqual({});
    played.timer('m');
    expect(played.last).toMatchObject({ verdict: 'stepped', mail: [{ to: ['bob'], draft: { content: 'later' } }] });
    expect(played.state.timers).toEqual({});
  });

  it('sends nothing to an empty list, and logs that', () => {
    const info = { type: 'INFO', content: '' } as const;
    const machine = setup({}).createMachine({ entry: [tell([], info), tell(() => [], info, { delay: 9 })] });
    const { last, state } = new Played(machine);
    expect([last.mail, state.timers]).toEqual([[], {}]);
    expect(last.logs).toEqual([
      { label: 'not sent', value: 'INFO, because it has no recipient' },
      { label: 'not sent', value: 'INFO, because it has no recipient' },
    ]);
  });

  it('sends what an entry sends to a child that its state then invokes behind the START, and before that to the previous child', () => {
    const machine = setup({ actors: { quiet } }).createMachine({
      initial: 'a',
      states: {
        a: {
          entry: sendTo('k', { type: 'HELLO' }),
          exit: sendTo('k', { type: 'BYE' }),
          invoke: { src: 'quiet', id: 'k' },
          on: { AGAIN: { target: 'a', reenter: true } },
        },
      },
    });
    const sentBy = ({ last }: Played): string[] =>
      last.mail.map(({ to, draft }) => {
        const { event, incarnation } = draft.data as { event?: { type: string }; incarnation: string };
        return `${event?.type ?? draft.type} to ${to.join()} ${incarnation}`;
      });
    const played = new Played(machine);
    expect(sentBy(played)).toEqual([`START to ship.k-1 ${RUN}.1.1`, `HELLO to ship.k-1 ${RUN}.1.1`]);
    played.event('AGAIN');
    expect(sentBy(played)).toEqual([
      `BYE to ship.k-1 ${RUN}.1.1`,
      `STOP to ship.k-1 ${RUN}.1.1`,
      `START to ship.k-2 ${RUN}.2.3`,
      `HELLO to ship.k-2 ${RUN}.2.3`,
    ]);
    expect(played.last.logs).toEqual([]);
  });

  it('fails a step that sends to no recipient, or sends what only XState may send', () => {
    const poll = ask((to: string) => to, { question: () => ({ type: 'QUESTION', content: '?' }) });
    const machine = setup({ actors: { work, poll } }).createMachine({
      entry: spawnChild('work', { id: 'w' }),
      on: {
        PARENT: { actions: sendParent({ type: 'X' }) },
        ACTIVITY: { actions: sendTo('w', { type: 'X' }) },
        FORGED: { actions: sendTo('w', { type: 'xstate.done.actor.w' }) },
        EMPTY: { actions: tell('bob', { type: 'INFO' } as never) },
        MISSING: { actions: tell(() => undefined as never, { type: 'INFO', content: '' }) },
        HOLE: { actions: tell(['bob', null as never], { type: 'INFO', content: '' }) },
        EXPIRY: { actions: tell('bob', { type: 'INFO', content: '', expiresInMs: 1e17 }) },
        ALL: { actions: spawnChild('poll', { id: 'p', input: 'all' }) },
        DATE: { actions: tell('bob', { type: 'INFO', content: '', data: { at: new Date(0) } }) },
      },
    });
    const played = new Played(machine);
    const failure = (type: string): string | undefined => played.event(type).failure?.message;
    expect(failure('PARENT')).toMatch(/parent/);
    expect(failure('ACTIVITY')).toContain('sends X to w, which is neither its parent nor a running child machine');
    expect(failure('FORGED')).toContain('only XState itself may send');
    expect(failure('EMPTY')).toContain('A message needs a type and a content');
    expect(failure('MISSING')).toContain('recipient of a message is undefined: expected an address');
    expect(failure('HOLE')).toContain('recipient of a message is a list with null in it');
    expect(failure('EXPIRY')).toContain('The expiry is 100000000000000000');
    expect(failure('ALL')).toContain('is addressed to everybody, but an ask takes one answer');
    expect(failure('DATE')).toContain('message.data.at');
  });

  it('ends its children and tells its parent when it is stopped, done or failed', () => {
    const machine = setup({ actors: { quiet, work } }).createMachine({
      initial: 'a',
      invoke: { src: 'quiet', id: 'c' },
      after: { 1_000: '.b' },
      states: { a: { on: { END: 'b' }, invoke: { src: 'work', id: 'w' } }, b: { type: 'final' } },
      output: { answer: 42 },
    });
    const parent = { address: 'top', childId: 'me', src: 'x' };
    const begun = (): Played => new Played(machine, { parent });
    const stopped = begun();
    stopped.take({ kind: 'stop', mail: { id: 'x', from: 'top', type: 'STOP' }, event: { type: 'xstate.stop' } });
    const done = begun();
    done.event('END');
    const failed = begun();
    failed.take({
      kind: 'result',
      call: 'w',
      src: 'work',
      effectId: '',
      event: { type: 'xstate.error.actor.w', error: { name: 'E', message: 'no' } },
    });
    for (const [played, status] of [
      [stopped, 'stopped'],
      [done, 'done'],
      [failed, 'error'],
    ] as const) {
      expect(played.state).toMatchObject({ status, calls: {}, timers: {} });
      expect(draftsOf(played)).toEqual([expect.stringMatching(/^STOP to ship\.c-1$/), 'END to top']);
      expect(played.last.mail.at(-1)?.draft.data).toMatchObject({ incarnation: RUN, status });
      expect(played.event('GO')).toMatchObject({ verdict: 'unhandled', mail: [] });
    }
    expect(done.last.state.output).toEqual({ answer: 42 });
    expect(failed.state.error).toEqual({ name: 'E', message: 'no' });
  });

  it('counts a step even without a transition, and leaves `since` unchanged', () => {
    const played = new Played(setup({}).createMachine({ on: { GO: {} } }));
    const unhandled = played.event('OTHER');
    expect(unhandled).toMatchObject({ verdict: 'unhandled', state: { steps: 2, since: 1_000 } });
  });

  it('throws for a cause of a workflow that was never started', () => {
    const cause = { kind: 'stop', mail: { id: 'x', from: 'a', type: 'STOP' }, event: { type: 'xstate.stop' } } as const;
    const options = { machine: quiet, address: 'ship', state: undefined, cause, at: 0, nextId: () => '' };
    expect(() => stepWorkflow(options)).toThrow('a workflow that was never started cannot take stop');
  });
});
