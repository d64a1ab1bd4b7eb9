import { dirname } from 'node:path';
import { Conflict, MessageNotFound } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { createFile, namesIn, readText, removeQuietly, renameSettled, stagedPath } from '../host/files.ts';
import { isReasonFileName, parseMessageFileName, reasonFileName } from '../message/layout.ts';
import type { Message, Refusal, RefusalReason } from '../message/message.ts';
import { visibleJson } from '../message/visible.ts';
import { moveToClaim } from './claim-path.ts';
import { completeMailbox } from './create.ts';
import type { Mailbox } from './mailbox.ts';
import { refusalOfPurged } from './purge.ts';
import { fieldsIn } from '../host/json-file.ts';

const REASON_MODE = 0o600;

/** The content of the reason file beside a dead letter. */
export interface DeadReason {
  /** The message file's name, or the name that a refused file had. */
  readonly name: string;
  readonly reason: string;
  readonly detail: string;
  /** ISO 8601. */
  readonly at: string;
}

/**
 * Gives up a verified message: its file, wherever it is now, moves to `dead/<name>`, after the reason was written.
 * False if it was gone.
 */
export function giveUp(
  mailbox: Mailbox,
  letter: { path: string; name: string; message: Message; refusal: Refusal },
): boolean {
  const { layout } = mailbox;
  const target = `${layout.dead}/${letter.name}`;
  if (!moveToDead(mailbox, { ...letter, target, reasonPath: `${layout.dead}/${reasonFileName(letter.name)}` }))
    return false;
  mailbox.observe({ kind: 'dead', message: letter.message, reason: letter.refusal });
  return true;
}

/** Puts aside what was never valid, whatever it is: file, directory, FIFO. False if it was gone or cannot be moved. */
export function refuse(mailbox: Mailbox, thing: { path: string; name: string; refusal: Refusal }): boolean {
  const { layout, host } = mailbox;
  const target = `${layout.refused}/${uuid(host.randomBytes(16))}`;
  try {
    const letter = { ...thing, target, reasonPath: reasonFileName(target) };
    const path = moveToDead(mailbox, letter) ? thing.path : pathInBytes(mailbox, thing);
    if (path === undefined || (path !== thing.path && !moveToDead(mailbox, { ...letter, path }))) return false;
    mailbox.observe({ kind: 'refused', name: thing.name, reason: thing.refusal });
    return true;
  } catch {
    skipFromNow(mailbox, thing);
  }
  return false;
}

/** A name that is not UTF-8 is listed with replacement characters, under which nothing is found; its bytes name it. */
function pathInBytes({ host }: Mailbox, { path, name }: { path: string; name: string }): Buffer | undefined {
  if (!name.includes(REPLACEMENT_CHARACTER)) return undefined;
  const directory = dirname(path);
  const names = host.files.readdirBytes(directory);
  const found = names.find((bytes) => bytes.toString('utf8') === name && !bytes.equals(Buffer.from(name)));
  return found && Buffer.concat([Buffer.from(`${directory}/`), found]);
}

function skipFromNow({ memory, observe }: Mailbox, thing: { path: string; name: string; refusal: Refusal }): void {
  if (memory.unmovable.has(thing.path)) return;
  if (memory.unmovable.size >= UNMOVABLE_KEPT_MAX) memory.unmovable.clear();
  memory.unmovable.add(thing.path);
  observe({ kind: 'unmovable', name: thing.name, reason: thing.refusal });
}

const REPLACEMENT_CHARACTER = '\ufffd';
const UNMOVABLE_KEPT_MAX = 10_000;

/** The reason is written before the letter is moved: a letter without a reason is never seen. */
function moveToDead(
  mailbox: Mailbox,
  options: { path: string | Buffer; name: string; refusal: Refusal; target: string; reasonPath: string },
): boolean {
  const { files, clock } = mailbox.host;
  const { path, name, refusal, target, reasonPath } = options;
  const why: DeadReason = {
    name,
    reason: refusal.reason,
    detail: refusal.detail,
    at: new Date(clock.now()).toISOString(),
  };
  try {
    writeReason(mailbox, reasonPath, why);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    completeMailbox(mailbox.host, mailbox.layout);
    writeReason(mailbox, reasonPath, why);
  }
  try {
    if (typeof path === 'string') renameSettled(files, path, target);
    else files.renameBytes(path, target);
    return true;
  } catch (error) {
    if (!files.lstat(target)) removeQuietly(files, reasonPath);
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Writes a reason file atomically, replacing an existing one. */
export function writeReason({ host, layout }: Mailbox, path: string, why: DeadReason): void {
  const { files, randomBytes } = host;
  const staged = stagedPath(layout.tmp, randomBytes);
  try {
    createFile(files, staged, Buffer.from(`${visibleJson(why)}\n`), REASON_MODE);
    renameSettled(files, staged, path);
  } catch (error) {
    removeQuietly(files, staged);
    throw error;
  }
}

export interface DeadMail extends DeadReason {
  readonly path: string;
  /** True if it was verified before it was given up; a refused file never was. */
  readonly verified: boolean;
  /** Whether `retryDead` accepts it: it was verified, or its name is a message's and its reason may pass. */
  readonly retryable: boolean;
}

/**
 * Reasons that depend on the reader at that time: a key or a version that it did not have, a file that it could not
 * read, a limit or a clock check of earlier versions. All others mean that the file itself is wrong.
 */
const REASONS_THAT_PASS: ReadonlySet<string> = new Set<RefusalReason>([
  'unreadable',
  'unknown-key',
  'bad-json',
  'newer-version',
  'wrong-room',
  'from-the-future',
]);

/** Every dead letter: verified ones, then refused ones, each oldest first. */
export function listDead(mailbox: Mailbox): DeadMail[] {
  const { layout, host } = mailbox;
  const letters: DeadMail[] = [];
  for (const [directory, verified] of [
    [layout.dead, true],
    [layout.refused, false],
  ] as const) {
    for (const fileName of namesIn(host.files, directory).sort()) {
      const path = `${directory}/${fileName}`;
      if (path === layout.refused || isReasonFileName(fileName)) continue;
      const why = reasonOf(mailbox, path, fileName);
      letters.push({ ...why, path, verified, retryable: verified || mayPass(why) });
    }
  }
  return letters;
}

function reasonOf(mailbox: Mailbox, letter: string, fileName: string): DeadReason {
  const detail = `its reason file ${reasonFileName(letter)} cannot be read`;
  return readReason(mailbox, letter) ?? { name: fileName, reason: 'unknown', detail, at: '' };
}

/** Why a letter was given up or refused; undefined if its reason file is missing or invalid. */
export function readReason({ host }: Mailbox, letter: string): DeadReason | undefined {
  const { name, reason, detail, at } = fieldsIn(readText(host.files, reasonFileName(letter))) ?? {};
  const isWhole = [name, reason, detail, at].every((value) => typeof value === 'string');
  return isWhole ? ({ name, reason, detail, at } as DeadReason) : undefined;
}

function mayPass({ name, reason }: DeadReason): boolean {
  return REASONS_THAT_PASS.has(reason) && parseMessageFileName(name) !== undefined;
}

/**
 * Makes a dead letter claimable again, starting from its first attempt. `fileName` is the letter's: a message name in
 * `dead`, a UUID in `dead/refused`. Its next reader judges it like new mail, including duplicates and purged days.
 * Throws `MessageNotFound` if there is no such letter, and `Conflict`, leaving the letter where it is, if it would only
 * be refused again.
 */
export function retryDead(mailbox: Mailbox, fileName: string): void {
  const { layout, host } = mailbox;
  const isVerified = parseMessageFileName(fileName) !== undefined;
  const path = `${isVerified ? layout.dead : layout.refused}/${fileName}`;
  if (!host.files.lstat(path)) throw letterNotFound(mailbox, fileName);
  const name = isVerified ? fileName : nameOfRefused(mailbox, path, fileName);
  const purged = refusalOfPurged(mailbox, parseMessageFileName(name)?.id ?? '');
  if (purged && !isVerified) {
    throw new Conflict(`${fileName} cannot be tried again: ${purged.detail}, so nobody knows whether it was handled.`, {
      hint: 'Ask its sender to send it again.',
    });
  }
  // A verified letter was given up, not handled, even if its day is purged by now, so it is not judged as new.
  const claim = { name, attempt: purged ? 1 : 0, untilMs: 0 };
  if (!moveToClaim(mailbox, { path, claim })) throw letterNotFound(mailbox, fileName);
  removeQuietly(host.files, reasonFileName(path));
}

function letterNotFound({ address }: Mailbox, fileName: string): MessageNotFound {
  return new MessageNotFound(`${address} has no dead letter ${fileName}.`, { hint: 'See: mailroom dead list' });
}

function nameOfRefused(mailbox: Mailbox, path: string, fileName: string): string {
  const why = reasonOf(mailbox, path, fileName);
  if (mayPass(why)) return why.name;
  throw new Conflict(
    `${fileName} was refused (${why.reason}: ${why.detail}), which is permanent; it cannot be tried again.`,
    {
      hint: 'Ask its sender to send it again.',
    },
  );
}

/** RFC 9562, section 5.4: random bits with version 4 and the variant set. */
function uuid(bytes: Buffer): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
