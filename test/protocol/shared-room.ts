import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { initRoom, openRoom, type Mail, type Room, type RoomLimits } from '../../src/index.ts';
import { nodeHost } from '../../src/runtime.ts';
import type { Message } from '../../src/message/message.ts';
import { PythonError, type PythonClient } from './python-client.ts';

/** A message that the client in Python hands out. */
export interface PythonMail {
  readonly message: Message;
  readonly attempt: number;
  readonly until: number;
  readonly lost?: boolean;
}

/** A room in which the library and the client in Python both act. */
export interface SharedRoom {
  readonly directory: string;
  readonly room: Room;
  /** An operation of the Python client in this room, as an actor. */
  ask<T = unknown>(as: string, op: string, command?: object): Promise<T>;
  /** The time that both use; the real clock before the first call. */
  setClock(nowMs: number): Promise<void>;
  /** A path in an actor's mailbox. */
  mailbox(address: string, ...parts: string[]): string;
  /**
   * Everything in an actor's mailbox except `tmp`: `state/name`, without the days of `done` and the leases of claims.
   */
  where(address: string): string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** `prepare` may change the room's files before it is opened. */
export async function createSharedRoom(
  python: PythonClient,
  { limits = {}, prepare }: { limits?: Partial<RoomLimits>; prepare?: (directory: string) => void } = {},
): Promise<SharedRoom> {
  const parent = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-foreign-'));
  // Nothing here is about durability, and disks are slow.
  const files = { ...nodeHost.files, fsync: async () => {}, fdatasync: async () => {} };
  await initRoom({ cwd: parent, limits, host: { ...nodeHost, files } });
  const directory = path.join(parent, '.mailroom');
  prepare?.(directory);
  let nowMs: number | undefined;
  const clock = { ...nodeHost.clock, now: () => nowMs ?? nodeHost.clock.now() };
  const room = await openRoom({ directory, durability: 'process', host: { ...nodeHost, clock, files } });
  const mailbox = (address: string, ...parts: string[]): string =>
    path.join(directory, 'actors', address, 'mailbox', ...parts);
  return {
    directory,
    room,
    ask: (as, op, command = {}) => python.ask(op, { room: directory, as, ...command }),
    setClock: async (time) => {
      nowMs = time;
      await python.ask('clock', { nowMs: time });
    },
    mailbox,
    where: (address) =>
      ['new', 'cur', 'done', 'dead'].flatMap((state) =>
        fs
          .readdirSync(mailbox(address, state), { recursive: true, withFileTypes: true })
          .filter((entry) => !entry.isDirectory())
          .map((entry) => `${state}/${entry.name.replace(/,.*$/, '')}`)
          .filter((entry) => !entry.endsWith('.why.json')),
      ),
    [Symbol.asyncDispose]: async () => {
      await python.ask('forget', { room: directory });
      await room.close();
      fs.rmSync(parent, { recursive: true, force: true });
    },
  };
}

/** All mail that the library's agent can claim now, claimed. */
export async function takeAll(room: Room, address: string, leaseMs?: number): Promise<Mail[]> {
  const taken: Mail[] = [];
  for await (const mail of room.agent(address).inbox({ wait: false, leaseMs })) taken.push(mail);
  return taken;
}

/** The error code of an attempt of either client, or `ok`. */
export async function codeOf(attempt: () => Promise<unknown>): Promise<string> {
  try {
    await attempt();
    return 'ok';
  } catch (error) {
    if (error instanceof PythonError) return error.code;
    return (error as { code?: string }).code ?? String(error);
  }
}
