import { expectTypeOf, test } from 'vitest';
import type * as entry from '../../src/index.ts';
import {
  initRoom,
  openRoom,
  type ActorInfo,
  type Agent,
  type InitResult,
  type InitOptions,
  type JoinOptions,
  type MessageStatus,
  type OpenOptions,
  type Room,
} from '../../src/index.ts';
import { nodeHost, type Clock, type FileSystem, type Host, type Lock } from '../../src/runtime.ts';

test('a room is created and opened with optional options only', () => {
  expectTypeOf(initRoom).toEqualTypeOf<(options?: InitOptions) => Promise<InitResult>>();
  expectTypeOf(openRoom).toEqualTypeOf<(options?: OpenOptions) => Promise<Room>>();
  void initRoom({ algorithm: 'ed25519', limits: { rateLimit: 60 } });
  // @ts-expect-error: no such algorithm.
  void initRoom({ algorithm: 'none' });
  // @ts-expect-error: no such limit.
  void initRoom({ limits: { rateLimits: 60 } });
  void openRoom({ cwd: '/somewhere', durability: 'process' });
});

test('a room and an agent are freed at the end of their block', async () => {
  await using room = await openRoom();
  expectTypeOf(room).toEqualTypeOf<Room>();
  await using agent = await room.join('alice', { kind: 'agent', skills: ['typescript'] });
  expectTypeOf(agent).toEqualTypeOf<Agent>();
  expectTypeOf<Room>().toExtend<AsyncDisposable>();
  expectTypeOf<Agent>().toExtend<AsyncDisposable>();
  // @ts-expect-error: disposal is asynchronous.
  using wrong = await openRoom();
  void wrong;
});

test('join returns an agent, and room.agent returns one that has joined before', () => {
  expectTypeOf<Room['join']>().toEqualTypeOf<(address: string, options?: JoinOptions) => Promise<Agent>>();
  expectTypeOf<Room['agent']>().toEqualTypeOf<(address: string) => Agent>();
  expectTypeOf<Room['actors']>().toEqualTypeOf<() => ActorInfo[]>();
  expectTypeOf<Room['close']>().toEqualTypeOf<() => Promise<void>>();
});

test('clock, file system, randomness and lock can be supplied', () => {
  expectTypeOf(nodeHost).toExtend<Host>();
  expectTypeOf<Host['clock']>().toEqualTypeOf<Clock>();
  expectTypeOf<Host['files']>().toEqualTypeOf<FileSystem>();
  expectTypeOf<Host['randomBytes']>().toEqualTypeOf<(length: number) => Buffer>();
  const lock: Lock = { smooth: async () => async () => {} };
  void openRoom({ host: { ...nodeHost, lock, clock: { ...nodeHost.clock, now: () => 0 } } });
  // @ts-expect-error: a host is whole.
  void openRoom({ host: { lock } });
});

test('rooms, agents and mail are made by Mailroom alone, and show nothing of what they work on', () => {
  expectTypeOf<Extract<keyof typeof entry, 'Room' | 'Agent' | 'Mail' | 'nodeHost'>>().toEqualTypeOf<never>();
  expectTypeOf<Extract<keyof Room, 'context'>>().toEqualTypeOf<never>();
  expectTypeOf<Extract<keyof Agent, 'status'>>().toEqualTypeOf<never>();
  expectTypeOf<Room['status']>().toEqualTypeOf<(id: string) => MessageStatus[]>();
});
