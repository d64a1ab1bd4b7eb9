import { setup, type AnyStateMachine } from 'xstate';
import { z } from 'zod';
import { expect, test } from 'vitest';
import { stopWorkflow } from '../../src/history/stop.ts';
import { contextOf } from '../../src/room/room.ts';
import { accepts } from '../../src/workflow.ts';
import { eventually, WorkflowRoom } from './workflow-room.ts';

// `--accept-changed` accepted code without the state that the workflow was in: every message was a dead letter from then on.

const mail = accepts({ GO: z.unknown() });

/** Waits in this state for GO. */
const waitingIn = (id: string, state: string, note = ''): AnyStateMachine =>
  setup({ schemas: mail }).createMachine({
    id,
    initial: state,
    states: { [state]: { on: { GO: 'over' }, description: note }, over: { type: 'final' } },
  } as never) as unknown as AnyStateMachine;

/** The same, in a child of a child. */
function nested(state: string, note = '') {
  const mid = setup({ actors: { low: waitingIn('low', state, note) } }).createMachine({
    id: 'mid',
    initial: 'a',
    states: { a: { invoke: { src: 'low', id: 'low', systemId: 'low', onDone: 'b' } }, b: { type: 'final' } },
  });
  return setup({ actors: { mid } }).createMachine({
    id: 'top',
    initial: 'a',
    states: { a: { invoke: { src: 'mid', id: 'mid', onDone: 'b' } }, b: { type: 'final' } },
  });
}

const MACHINES = { top: waitingIn, child: (_id: string, state: string, note?: string) => nested(state, note) };

test.each([
  [
    'top',
    /^The workflow top cannot resume with this code\. top needs the state "testing", which the machine top no longer has\.$/,
  ],
  [
    'child',
    /^The workflow top cannot resume with this code\. low needs the state "testing", which the machine low no longer has\.$/,
  ],
] as const)(
  'code without the state that the %s is in is refused with its name, accepted or not; a STOP ends it with any code',
  async (where, what) => {
    await using room = await WorkflowRoom.make();
    const opened = await room.open();
    const alice = await opened.join('alice');
    const make = MACHINES[where];
    const waits = where === 'top' ? 'top' : 'low';
    const { host } = await room.run(make('top', 'testing'));
    await eventually('it waits', () => room.state(waits)?.state);
    await host.close();
    const gone = make('top', 'checking');
    for (const acceptChanged of [false, true]) {
      await expect(room.run(gone, { acceptChanged })).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringMatching(what) as string,
        hint: expect.stringMatching(/mailroom stop top, then repeat the same command/) as string,
      });
    }
    // Code that has the state is accepted as before.
    const meant = make('top', 'testing', 'what it always meant');
    await expect(room.run(meant)).rejects.toMatchObject({
      code: 'CONFLICT',
      hint: expect.stringContaining('--accept-changed') as string,
    });
    const going = await room.run(meant, { acceptChanged: true });
    await going.host.close();
    expect(room.state(waits)?.state?.status).toBe('active');
    const { id } = await alice.send({ to: waits, type: 'GO', content: '' });
    expect(room.status(id)[0]?.state).toBe('delivered');
    await stopWorkflow(contextOf(opened), 'top');
    const last = await room.run(gone, { acceptChanged: true });
    expect(await last.workflow.result).toEqual({ status: 'stopped' });
    await last.host.close();
  },
);

test('a retry checks the code as well', async () => {
  const failing = (states: object): AnyStateMachine =>
    setup({ delays: { soon: 1 } }).createMachine({
      id: 'm',
      initial: Object.keys(states)[0],
      states,
    } as never) as unknown as AnyStateMachine;
  const boom = (): never => {
    throw new Error('boom');
  };
  await using room = await WorkflowRoom.make();
  const { host, workflow } = await room.run(failing({ a: { after: { soon: { target: 'b', guard: boom } } }, b: {} }));
  await expect(workflow.result).rejects.toMatchObject({ code: 'WORKFLOW_FAILED' });
  await host.close();
  for (const [states, what] of [
    [{ a: { after: { 5: 'b' } }, b: { type: 'final' } }, 'm needs "after soon" in the state "m.a", which'],
    [{ b: { type: 'final' } }, 'm needs the state "a", which'],
  ] as const) {
    await expect(room.run(failing(states), { retryFailed: true })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining(what) as string,
    });
  }
  const mended = await room.run(failing({ a: { after: { soon: 'b' } }, b: { type: 'final' } }), { retryFailed: true });
  expect(await mended.workflow.result).toEqual({ status: 'done' });
  await mended.host.close();
});
