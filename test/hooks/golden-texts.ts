import { createHash } from 'node:crypto';
import { introduction } from '../../src/hooks/introduction.ts';
import { HOOK_CHARS_MAX } from '../../src/hooks/mail-text.ts';
import { listSessions, type Session } from '../../src/hooks/session.ts';
import { showWaiting } from '../../src/hooks/show-waiting.ts';
import { idPrefixOf } from '../../src/message/message-id.ts';
import type { RoomContext } from '../../src/room/context.ts';
import { contextOf } from '../../src/room/room.ts';
import { openHookRoom, type HookRoom } from './hook-room.ts';

const START = Date.UTC(2026, 10, 30, 9, 0, 0);
const ROOM = '/home/ann/shop/.mailroom';

/** A session called claude-1, in a room whose clock, ids and random bytes are the same in every run. */
export interface GoldenRoom extends AsyncDisposable {
  readonly room: HookRoom;
  /** An id that ends in 8 hex digits that say its number. */
  readonly id: (number: number) => string;
  readonly introduction: () => string;
  /** What a hook shows now. It is claimed. */
  readonly shown: () => Promise<string>;
}

export async function openGoldenRoom(): Promise<GoldenRoom> {
  const room = await openHookRoom('hmac-sha256', START);
  const start = room.session('one');
  await start.fire('SessionStart');
  const context = contextOf(start.room);
  const session = listSessions(context)[0] as Session;
  let drawn = 0;
  const randomBytes = (length: number): Buffer =>
    createHash('sha256')
      .update(String((drawn += 1)))
      .digest()
      .subarray(0, length);
  const fixed: RoomContext = { ...context, host: { ...context.host, randomBytes } };
  const command = 'mailroom';
  const place = (text: string): string => text.replaceAll(room.zoo.directory, ROOM);
  return {
    room,
    id: (number) => `${idPrefixOf(START)}-7000-8000-${number.toString(16).padStart(12, '0')}`,
    introduction: () => place(introduction(fixed, session, command)),
    shown: async () => place((await showWaiting(fixed, session, { charsMax: HOOK_CHARS_MAX, command })).text),
    [Symbol.asyncDispose]: () => room[Symbol.asyncDispose](),
  };
}
