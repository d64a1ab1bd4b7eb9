import fs from 'node:fs';
import path from 'node:path';
import { alwaysGrants, type Host } from '../../src/host/host.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { isOpenToAll } from '../../src/mailbox/claim.ts';
import type { Mailbox } from '../../src/mailbox/mailbox.ts';
import { parseClaimFileName, parseMessageFileName } from '../../src/message/layout.ts';
import { listAddresses, mailboxOf } from '../../src/room/context.ts';
import { contextOf, openRoom, type Room } from '../../src/room/room.ts';
import { unsyncedFiles } from '../faults/fault-sweep.ts';

/** What no promise may depend on is left out: the lock, and waiting for the disk. */
export const healthyHost: Host = { ...nodeHost, files: unsyncedFiles, lock: alwaysGrants };

/** `held` under a lease, `open` to be taken over by anybody. */
export type State = 'new' | 'held' | 'open' | 'done' | 'dead';

/** One file of a message in one mailbox. */
export interface Copy {
  readonly recipient: string;
  readonly state: State;
  readonly id: string;
  readonly content: string;
}

/**
 * Every message file of the room. Throws when one is torn: what lies in `new`, `cur`, `done` or `dead` under a message's
 * name must verify, unless its content is `forged`.
 */
export async function look(directory: string): Promise<Copy[]> {
  await using room = await openRoom({ directory, host: healthyHost });
  return mailboxesOf(room).flatMap((mailbox) => copiesIn(mailbox));
}

export function mailboxesOf(room: Room): Mailbox[] {
  return listAddresses(contextOf(room))
    .map((address) => mailboxOf(contextOf(room), address))
    .filter((mailbox) => mailbox !== undefined);
}

function copiesIn(mailbox: Mailbox): Copy[] {
  const { layout } = mailbox;
  const copies: Copy[] = [];
  const add = (name: string, file: string, state: State): void => {
    const named = parseMessageFileName(name);
    if (!named) throw new Error(`${file} lies among the messages and is none`);
    const bytes = fs.readFileSync(file);
    if (state !== 'done' && state !== 'dead' && bytes.includes(FORGED)) return;
    const opened = mailbox.opener.open(name, bytes);
    if ('refusal' in opened) throw new Error(`${file} is torn: ${opened.refusal.detail}`);
    copies.push({ recipient: mailbox.address, state, id: named.id, content: opened.message.content });
  };
  for (const name of fs.readdirSync(layout.new)) add(name, path.join(layout.new, name), 'new');
  for (const fileName of fs.readdirSync(layout.cur)) {
    const claim = parseClaimFileName(fileName);
    if (!claim) throw new Error(`${fileName} lies among the claims of ${mailbox.address} and is none`);
    add(claim.name, path.join(layout.cur, fileName), isOpenToAll(mailbox, claim) ? 'open' : 'held');
  }
  for (const day of fs.readdirSync(layout.done)) {
    for (const name of fs.readdirSync(path.join(layout.done, day)))
      add(name, path.join(layout.done, day, name), 'done');
  }
  for (const name of fs.readdirSync(layout.dead)) {
    if (name === path.basename(layout.refused) || name.endsWith('.why.json')) continue;
    add(name, path.join(layout.dead, name), 'dead');
    const why: unknown = JSON.parse(fs.readFileSync(path.join(layout.dead, `${name}.why.json`), 'utf8'));
    if (typeof why !== 'object' || why === null || !('reason' in why))
      throw new Error(`${name} is dead without a reason`);
  }
  return copies;
}

/** In a message that somebody put there whose key is not the room's. */
export const FORGED = 'forged by nobody';

/** Every file below a directory by its path, as text; empty when there is no such directory. */
export function filesBelow(directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  if (!fs.existsSync(directory)) return found;
  for (const entry of fs.readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (!entry.isDirectory()) found[path.relative(directory, file)] = fs.readFileSync(file, 'latin1');
  }
  return found;
}
