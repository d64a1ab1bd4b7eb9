import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { initRoom, openRoom, type Agent, type Room, type RoomLimits } from '../../src/index.ts';
import type { Host } from '../../src/runtime.ts';
import { nodeHost } from '../../src/host/node-host.ts';

/** Alice, who sends, and Bob, who reads, each with a room object of their own. */
export interface Pair extends AsyncDisposable {
  readonly directory: string;
  readonly alice: Agent;
  readonly bob: Agent;
  readonly readerRoom: Room;
}

export async function openPair(
  options: { host?: Partial<Host>; limits?: Partial<RoomLimits>; senders?: readonly string[] } = {},
): Promise<Pair> {
  const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-arrivals-'));
  await initRoom({ cwd, limits: { rateLimit: 50_000, ...options.limits } });
  const senderRoom = await openRoom({ cwd, durability: 'process' });
  const readerRoom = await openRoom({ cwd, host: { ...nodeHost, ...options.host } });
  const alice = await senderRoom.join('alice');
  for (const sender of options.senders ?? []) await senderRoom.join(sender);
  const bob = await readerRoom.join('bob');
  return {
    directory: readerRoom.directory,
    alice,
    bob,
    readerRoom,
    [Symbol.asyncDispose]: async () => {
      await senderRoom.close();
      await readerRoom.close();
      fs.rmSync(cwd, { recursive: true, force: true });
    },
  };
}
