import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { nodeHost } from '../../src/host/node-host.ts';
import { roomLayout, type RoomLayout } from '../../src/message/layout.ts';
import { createIdSource, timeOfId } from '../../src/message/message-id.ts';
import type { Message, MessageLimits } from '../../src/message/message.ts';
import { openKeyring, type Keyring } from '../../src/signing/keyring.ts';
import type { Algorithm } from '../../src/signing/keys.ts';
import { createOpener, type MessageOpener } from '../../src/signing/seal.ts';

export const LIMITS: MessageLimits = { messageBytesMax: 256 * 1024, jsonDepthMax: 64 };
const NOW_MS = Date.parse('2026-05-04T03:02:01.000Z');

/** The files that signing needs, alone: a directory with keys, and nothing else of a room. */
export interface SigningRoom {
  readonly roomId: string;
  readonly layout: RoomLayout;
  readonly keyring: Keyring;
  openerOf(reader: string): MessageOpener;
  messageOf(fields?: Partial<Message>): Message;
  remove(): void;
}

export async function createSigningRoom(
  algorithm: Algorithm,
  { roomId = 'room-1', actors = ['alice', 'bob', 'carol'] }: { roomId?: string; actors?: readonly string[] } = {},
): Promise<SigningRoom> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-signing-'));
  const layout = roomLayout(directory);
  for (const made of [layout.keys, layout.tmp]) fs.mkdirSync(made);
  if (algorithm === 'hmac-sha256') fs.writeFileSync(layout.roomKey, `${nodeHost.randomBytes(32).toString('hex')}\n`);
  const keyring = openKeyring({ host: nodeHost, layout, roomId, algorithm });
  for (const actor of actors) await keyring.enrol(actor);
  const ids = createIdSource(nodeHost.randomBytes);
  return {
    roomId,
    layout,
    keyring,
    openerOf: (reader) => createOpener({ roomId, reader, keyring }),
    messageOf: (fields = {}) => {
      const id = fields.id ?? ids.next(NOW_MS);
      const sentAt = new Date(timeOfId(id)).toISOString();
      return { room: roomId, from: 'alice', to: ['bob'], type: 'INFO', content: 'hello', ...fields, id, sentAt };
    },
    remove: () => fs.rmSync(directory, { recursive: true, force: true }),
  };
}
