import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { MESSAGE_BYTES } from '../bench-room.ts';

const BYTES = Buffer.alloc(MESSAGE_BYTES, 'm');

/** The directories of a mailbox, without anything of Mailroom. */
export interface PlainMailbox {
  readonly tmp: string;
  readonly new: string;
  readonly cur: string;
  readonly done: string;
}

/** As deep in the tree as a real one, and with names as long. */
export function makePlainMailbox(fresh: string, address = 'bob'): PlainMailbox {
  const parent = path.join(fresh, '.mailroom', 'actors', address, 'mailbox');
  const mailbox = {
    tmp: path.join(parent, 'tmp'),
    new: path.join(parent, 'new'),
    cur: path.join(parent, 'cur'),
    done: path.join(parent, 'done'),
  };
  for (const directory of Object.values(mailbox)) fs.mkdirSync(directory, { recursive: true });
  return mailbox;
}

/** File names as long as those of messages. */
export function plainNames(count: number): string[] {
  return Array.from({ length: count }, () => `${randomUUID()}.alice.json`);
}

/** open + write + close + link + unlink. */
export function deliverPlainly(mailbox: PlainMailbox, name: string): void {
  const staged = writePlainly(mailbox, name);
  fs.linkSync(staged, `${mailbox.new}/${name}`);
  fs.unlinkSync(staged);
}

/** open + write + close; the path. */
export function writePlainly({ tmp }: PlainMailbox, name: string): string {
  const staged = `${tmp}/${name}`;
  const fd = fs.openSync(staged, 'wx', 0o400);
  fs.writeSync(fd, BYTES, 0, BYTES.length);
  fs.closeSync(fd);
  return staged;
}

/** open + read + close + rename + rename. */
export function receivePlainly(mailbox: PlainMailbox, name: string): void {
  const delivered = `${mailbox.new}/${name}`;
  const claimed = `${mailbox.cur}/${name},1,1700000000000`;
  const into = Buffer.allocUnsafe(MESSAGE_BYTES);
  const fd = fs.openSync(delivered, 'r');
  fs.readSync(fd, into, 0, MESSAGE_BYTES, null);
  fs.closeSync(fd);
  fs.renameSync(delivered, claimed);
  fs.renameSync(claimed, `${mailbox.done}/${name}`);
}
