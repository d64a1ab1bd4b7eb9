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

/** open + read + close. */
export function readPlainly(mailbox: PlainMailbox, name: string): void {
  const into = Buffer.allocUnsafe(MESSAGE_BYTES);
  const fd = fs.openSync(`${mailbox.new}/${name}`, 'r');
  fs.readSync(fd, into, 0, MESSAGE_BYTES, null);
  fs.closeSync(fd);
}

/** open + read + close + rename + rename. */
export function receivePlainly(mailbox: PlainMailbox, name: string): void {
  const claimed = `${mailbox.cur}/${name},1,1700000000000`;
  readPlainly(mailbox, name);
  fs.renameSync(`${mailbox.new}/${name}`, claimed);
  fs.renameSync(claimed, `${mailbox.done}/${name}`);
}

/** What of a message's way lies outside its mailbox: the sender's counter and the log, open as Mailroom keeps them. */
export interface PlainFiles {
  readonly counter: number;
  readonly log: number;
  /** How long the two are by now. */
  counterBytes: number;
  logBytes: number;
}

const RECORD = Buffer.alloc(250, 'r');
const LINE = Buffer.alloc(420, 'l');
/** Steps that a workflow takes between two turns of the event loop; their two lines each are written together. */
const STEPS_LOGGED_AT_ONCE = 64;
const LINES = Buffer.alloc(2 * STEPS_LOGGED_AT_ONCE * LINE.length, LINE);
const READ_BACK = Buffer.allocUnsafe(64 * 1024);

export function openPlainFiles(directory: string): PlainFiles {
  const flags = fs.constants.O_RDWR | fs.constants.O_APPEND | fs.constants.O_CREAT;
  return {
    counter: fs.openSync(path.join(directory, 'counter'), flags),
    log: fs.openSync(path.join(directory, 'log'), flags),
    counterBytes: 0,
    logBytes: 0,
  };
}

export function closePlainFiles({ counter, log }: PlainFiles): void {
  fs.closeSync(counter);
  fs.closeSync(log);
}

/** Every system call of a send, and nothing else: counted and read back, delivered, logged. */
export function sendPlainly(mailbox: PlainMailbox, files: PlainFiles, name: string): void {
  countPlainly(files);
  deliverPlainly(mailbox, name);
  logPlainly(files);
}

/** Every system call of a receive, and nothing else: claimed, read, looked for elsewhere, logged, acknowledged, logged. */
export function takePlainly(mailbox: PlainMailbox, files: PlainFiles, name: string): void {
  const claimed = `${mailbox.cur}/${name},1,1700000000000`;
  fs.lstatSync(claimed, MAY_BE_MISSING);
  fs.renameSync(`${mailbox.new}/${name}`, claimed);
  const into = Buffer.allocUnsafe(MESSAGE_BYTES);
  const fd = fs.openSync(claimed, 'r');
  fs.fstatSync(fd);
  fs.readSync(fd, into, 0, MESSAGE_BYTES, 0);
  fs.closeSync(fd);
  fs.readdirSync(mailbox.cur);
  for (const elsewhere of [`${mailbox.done}/${name}`, `${mailbox.tmp}/${name}`, `${mailbox.tmp}/purged-through`]) {
    fs.lstatSync(elsewhere, MAY_BE_MISSING);
  }
  logPlainly(files);
  fs.renameSync(claimed, `${mailbox.done}/${name}`);
  logPlainly(files);
}

/**
 * Every system call of a durable step, and nothing else: read and looked for elsewhere, committed, moved, answered, and its
 * share of the log. `index` is how many steps were before it.
 */
export function stepPlainly(
  mailbox: PlainMailbox,
  { files, journal, answers }: { files: PlainFiles; journal: PlainJournal; answers: PlainMailbox },
  { name, index }: { name: string; index: number },
): void {
  const waiting = `${mailbox.new}/${name}`;
  const into = Buffer.allocUnsafe(MESSAGE_BYTES);
  const fd = fs.openSync(waiting, 'r');
  fs.fstatSync(fd);
  fs.readSync(fd, into, 0, MESSAGE_BYTES, 0);
  fs.closeSync(fd);
  for (const elsewhere of [`${mailbox.done}/${name}`, `${mailbox.tmp}/${name}`, `${mailbox.tmp}/purged-through`]) {
    fs.lstatSync(elsewhere, MAY_BE_MISSING);
  }
  fs.writeSync(journal.fd, COMMIT, 0, COMMIT.length);
  fs.readSync(journal.fd, READ_BACK, 0, READ_BACK.length, journal.bytes);
  journal.bytes += COMMIT.length;
  fs.renameSync(waiting, `${mailbox.done}/${name}`);
  countPlainly(files);
  deliverPlainly(answers, name);
  if ((index + 1) % STEPS_LOGGED_AT_ONCE === 0) logPlainly(files, LINES);
}

/** As long as the record of a step of the counter. */
export const COMMIT = Buffer.alloc(2_600, 'c');

export interface PlainJournal {
  readonly fd: number;
  bytes: number;
}

export function openPlainJournal(directory: string): PlainJournal {
  const flags = fs.constants.O_RDWR | fs.constants.O_APPEND | fs.constants.O_CREAT;
  return { fd: fs.openSync(path.join(directory, 'journal'), flags), bytes: 0 };
}

const MAY_BE_MISSING = { throwIfNoEntry: false } as const;

function countPlainly(files: PlainFiles): void {
  fs.writeSync(files.counter, RECORD, 0, RECORD.length);
  fs.readSync(files.counter, READ_BACK, 0, READ_BACK.length, files.counterBytes);
  files.counterBytes += RECORD.length;
}

function logPlainly(files: PlainFiles, lines = LINE): void {
  fs.readSync(files.log, READ_BACK, 0, 1, files.logBytes);
  fs.writeSync(files.log, lines, 0, lines.length);
  files.logBytes += lines.length;
}
