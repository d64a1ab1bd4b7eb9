import { expect, test } from 'vitest';
import { sessionOf } from '../../src/hooks/session.ts';
import { parseHookEvent } from '../../src/hooks/hook-event.ts';
import { waitToWake, WAKES_MAX } from '../../src/hooks/waiter.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { openRoom } from '../../src/index.ts';
import { contextOf } from '../../src/room/room.ts';
import { until } from '../hostile/until.ts';
import { ended, openHookRoom, running, type HookRoom, type SessionOptions } from './hook-room.ts';

const SECOND_MS = 1_000;
const OWN_PROMPT = { prompt: '<task-notification>\n<summary>Stop hook feedback</summary>' };

interface Waiting {
  /** The text that woke the session; '' if the waiter ended without one. */
  readonly woken: Promise<string>;
  readonly isOver: () => boolean;
}

/** Waits as `mailroom hook claude wake` does, and records what it showed. */
async function wait(
  room: HookRoom,
  { id = 'one', process: parent = running() }: SessionOptions & { id?: string } = {},
): Promise<Waiting> {
  const host = { ...nodeHost, clock: room.clock, processes: { ...nodeHost.processes, parent: () => parent } };
  const own = await openRoom({ directory: room.zoo.directory, host });
  const session = sessionOf(
    contextOf(own),
    parseHookEvent(JSON.stringify({ session_id: id }), { program: 'claude', name: 'wake' }),
  );
  if (!session) throw new Error(`${id} has not joined`);
  let isOver = false;
  const woken = (async () => {
    const showing = await waitToWake(contextOf(own), session, { command: 'mailroom', cwd: room.zoo.base });
    await showing?.record();
    await own.close();
    isOver = true;
    return showing?.text ?? '';
  })();
  return { woken, isOver: () => isOver };
}

/** Advances the clock until the waiter has ended. */
async function untilOver(room: HookRoom, { isOver, woken }: Waiting): Promise<string> {
  await until('the waiter is over', () => {
    room.clock.advance(SECOND_MS);
    return isOver();
  });
  return woken;
}

test('a waiter wakes its session with new mail, which the following turn acknowledges', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  await fire('SessionStart');
  const waiting = await wait(room);
  for (let look = 0; look < 5; look++) room.clock.advance(SECOND_MS);
  expect(waiting.isOver()).toBe(false);
  await room.send('the port?');
  expect(await untilOver(room, waiting)).toContain('the port?');
  expect(await fire('UserPromptSubmit', OWN_PROMPT)).toBe('');
  expect(room.names('claude-1', 'done')).toEqual([]);
  await fire('Stop', { stop_hook_active: true });
  expect(room.names('claude-1', 'done')).toHaveLength(1);
});

test('a waiter does not wake its session for mail that it was shown', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  await fire('SessionStart');
  await room.send('the port?');
  await fire('Stop');
  const waiting = await wait(room);
  room.clock.advance(40 * 60 * SECOND_MS);
  for (let look = 0; look < 20; look++) {
    room.clock.advance(SECOND_MS);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect(waiting.isOver()).toBe(false);
  await fire('UserPromptSubmit');
  expect(await untilOver(room, waiting)).toBe('');
});

test('a newer waiter, a prompt by a person, the end of the session and the end of its program each end a waiter', async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  await fire('SessionStart');
  const first = await wait(room);
  const second = await wait(room);
  expect(await untilOver(room, first)).toBe('');
  expect(second.isOver()).toBe(false);
  await fire('UserPromptSubmit', { prompt: 'hello' });
  expect(await untilOver(room, second)).toBe('');
  const third = await wait(room);
  await fire('SessionEnd');
  expect(await untilOver(room, third)).toBe('');
  const killed = room.session('two', { process: ended() });
  await killed.fire('SessionStart');
  await room.send('for nobody');
  expect(await untilOver(room, await wait(room, { id: 'two', process: ended() }))).toBe('');
  expect(room.names('claude-1', 'new')).toHaveLength(1);
});

test(`a session is woken at most ${WAKES_MAX} times without a person's prompt, then mail waits`, async () => {
  await using room = await openHookRoom();
  const { fire } = room.session('one');
  await fire('SessionStart');
  for (let wakes = 1; wakes <= WAKES_MAX; wakes++) {
    const waiting = await wait(room);
    await room.send(`thanks ${wakes}`);
    expect(await untilOver(room, waiting)).toContain(`thanks ${wakes}`);
    await fire('UserPromptSubmit', OWN_PROMPT);
    await fire('Stop', { stop_hook_active: true });
  }
  await room.send('thanks again');
  expect(await untilOver(room, await wait(room))).toBe('');
  expect(room.names('claude-1', 'new')).toHaveLength(1);
  expect(await fire('UserPromptSubmit', { prompt: 'hello' })).toContain('thanks again');
  await fire('Stop');
  const waiting = await wait(room);
  await room.send('once more');
  expect(await untilOver(room, waiting)).toContain('once more');
});
