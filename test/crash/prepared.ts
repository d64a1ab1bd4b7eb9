import fs from 'node:fs';
import { alwaysGrants } from '../../src/host/host.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import type { ProcessIdentity } from '../../src/host/processes.ts';
import { listDead, retryDead } from '../../src/mailbox/dead.ts';
import { sweep } from '../../src/mailbox/sweep.ts';
import { messageFileName } from '../../src/message/layout.ts';
import { mailboxOf } from '../../src/room/context.ts';
import { initRoom } from '../../src/room/init-room.ts';
import type { RoomLimits } from '../../src/room/limits.ts';
import { contextOf, openRoom, type Room } from '../../src/room/room.ts';
import { sealMessage } from '../../src/signing/seal.ts';
import type { Algorithm } from '../../src/signing/keys.ts';
import type { Mailbox } from '../../src/mailbox/mailbox.ts';
import type { Library } from '../../fixtures/crash/operations.ts';
import { FORGED, healthyHost } from './look.ts';

/** The operations' library from the sources. */
export const lib: Library = { initRoom, openRoom, nodeHost, contextOf, mailboxOf, listDead, retryDead, sweep };

/** A process that ran before this machine started. */
export const DEAD: ProcessIdentity = { pid: 2, startTime: '1', bootId: 'an earlier one' };
/** A process that runs and is another than this. */
export const ALIVE: ProcessIdentity = { pid: 1, startTime: '', bootId: nodeHost.processes.self().bootId };

export interface RoomMade {
  readonly algorithm?: Algorithm;
  readonly limits?: Partial<RoomLimits>;
  /** Who has joined, and as which process. */
  readonly joined?: Readonly<Record<string, ProcessIdentity>>;
}

/** Makes a room with alice, bob and carol in it, and does `work` there. */
export async function makeRoom(
  directory: string,
  { algorithm, limits, joined = { alice: DEAD, bob: DEAD, carol: DEAD } }: RoomMade,
  work: (room: Room) => Promise<void> = async () => {},
): Promise<void> {
  await initRoom({ directory, algorithm, limits, host: healthyHost });
  await using room = await openRoom({ directory, host: { ...healthyHost, lock: alwaysGrants }, durability: 'process' });
  for (const [address, process] of Object.entries(joined)) await room.join(address, { process });
  await work(room);
}

/** The subject, from alice, and behind it another message, from carol. Both wait in bob's mailbox. */
export async function sendBoth(room: Room, subject: { id?: string; expiresInMs?: number } = {}): Promise<void> {
  // Older than the other by its id, or both might have the same ms and either come first.
  const id = idAt(Date.now() - 60_000);
  await room.agent('alice').send({ to: 'bob', type: 'INFO', content: 'subject', id, ...subject });
  await sendOther(room);
}

export async function sendOther(room: Room): Promise<void> {
  await room.agent('carol').send({ to: 'bob', type: 'INFO', content: 'other' });
}

export function bobs(room: Room): Mailbox {
  const mailbox = mailboxOf(contextOf(room), 'bob');
  if (!mailbox) throw new Error('bob has no mailbox');
  return mailbox;
}

/** Renames the subject's file in bob's mailbox to another claim of it. */
export function setClaim(room: Room, claim: { attempt: number; untilMs: number }): void {
  const { cur } = bobs(room).layout;
  const [fileName] = fs.readdirSync(cur);
  if (fileName === undefined) throw new Error('bob has claimed nothing');
  fs.renameSync(`${cur}/${fileName}`, `${cur}/${fileName.split(',')[0]},${claim.attempt},${claim.untilMs}`);
}

/** A UUIDv7 of a time in ms. */
export function idAt(timeMs: number, n = 0): string {
  const time = timeMs.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** Puts a file into bob's `new` that has a message's name and nobody's signature. */
export function forge(room: Room): void {
  const name = messageFileName({ id: idAt(Date.now() - 1000), from: 'carol' });
  fs.writeFileSync(`${bobs(room).layout.new}/${name}`, FORGED, { mode: 0o400 });
}

/** Puts a message of alice's to bob into `new` that was never sent through the library. */
export function plant(room: Room, { id, content }: { id: string; content: string }): void {
  const { keyring, config } = contextOf(room);
  const sentAt = new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toISOString();
  const message = { id, room: config.roomId, from: 'alice', to: ['bob'], type: 'INFO', sentAt, content };
  const { name, bytes } = sealMessage(message, { key: keyring.signerOf('alice'), limits: config.limits });
  fs.writeFileSync(`${bobs(room).layout.new}/${name}`, bytes, { mode: 0o400 });
}
