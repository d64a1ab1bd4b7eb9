import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readForge, type Forge } from '../../fixtures/zoo/forge.ts';
import type { Host } from '../../src/host/host.ts';
import { initRoom, openRoom, type Agent, type Mail, type Message, type Room } from '../../src/index.ts';
import type { DeadReason } from '../../src/mailbox/dead.ts';
import { actorLayout, roomLayout, type MailboxLayout } from '../../src/message/layout.ts';

/** A room with alice and bob, in a fresh directory, with limits that let a test send freely. */
export interface ZooRoom extends AsyncDisposable {
  /** The fresh directory that contains the room. */
  readonly base: string;
  readonly directory: string;
  readonly room: Room;
  readonly alice: Agent;
  readonly bob: Agent;
  readonly mailbox: MailboxLayout;
  readonly forge: Forge;
}

export async function openZoo(options: { host?: Host; algorithm?: 'hmac-sha256' | 'ed25519' } = {}): Promise<ZooRoom> {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-zoo-'));
  const { algorithm = 'hmac-sha256' } = options;
  const { directory } = await initRoom({ cwd: base, algorithm, limits: { rateLimit: 100_000 } });
  const room = await openRoom({ directory, durability: 'process', ...(options.host ? { host: options.host } : {}) });
  return {
    base,
    directory,
    room,
    alice: await room.join('alice'),
    bob: await room.join('bob'),
    mailbox: actorLayout(roomLayout(directory), 'bob').mailbox,
    forge: algorithm === 'hmac-sha256' ? readForge(directory) : { roomId: '', roomKey: Buffer.alloc(0) },
    [Symbol.asyncDispose]: async () => {
      await room.close();
      fs.rmSync(base, { recursive: true, force: true });
    },
  };
}

/** Reads and acknowledges all waiting mail, once. */
export async function readAll(agent: Agent, handle: (mail: Mail) => unknown = () => {}): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const mail of agent.inbox({ wait: false })) {
    messages.push(mail.message);
    await handle(mail);
    await mail.ack();
  }
  return messages;
}

/** The content of `dead/refused`, by the name each file had. */
export function refusedIn({ refused }: MailboxLayout): Map<string, DeadReason> {
  return new Map(reasonsIn(refused).map((reason) => [reason.name, reason]));
}

/** The content of `dead`, verified and given up. */
export function deadIn({ dead }: MailboxLayout): Map<string, DeadReason> {
  return new Map(reasonsIn(dead).map((reason) => [reason.name, reason]));
}

/** The reason beside every letter in a directory. */
export function reasonsIn(directory: string): DeadReason[] {
  return fs
    .readdirSync(directory)
    .filter((name) => name !== 'refused' && !name.endsWith('.why.json'))
    .map((name) => JSON.parse(fs.readFileSync(path.join(directory, `${name}.why.json`), 'utf8')) as DeadReason);
}

/** The records of the room's log with this event. */
export function logged(directory: string, event: string): Record<string, unknown>[] {
  const lines = fs.readFileSync(roomLayout(directory).log, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter((record) => record['event'] === event);
}

/** How many there are of each, for a line of output. */
export function countBy(reasons: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const reason of reasons) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}
