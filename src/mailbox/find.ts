import { errnoOf } from '../host/file-system.ts';
import { namesIn, readBounded } from '../host/files.ts';
import { type ClaimName, parseClaimFileName, parseMessageFileName } from '../message/layout.ts';
import { dayOfId } from '../message/message-id.ts';
import { type Message, MESSAGE_BYTES_CEILING, type Refusal } from '../message/message.ts';
import type { Mailbox } from './mailbox.ts';

/** A copy of a message beyond `new`. */
export interface Found {
  readonly path: string;
  readonly state: 'claimed' | 'acknowledged' | 'dead';
  readonly claim?: ClaimName;
}

/** Every copy of a message that was claimed, acknowledged or given up. One look; the message may move meanwhile. */
export function findBeyondNew(mailbox: Mailbox, name: string): Found[] {
  const { layout, host } = mailbox;
  const found: Found[] = [];
  const dead = `${layout.dead}/${name}`;
  const done = donePath(mailbox, name);
  // A message moves from cur to done or dead: looked at in that order, it cannot slip through between two looks.
  for (const claim of claimsOf(mailbox, name)) {
    found.push({ path: `${layout.cur}/${claim.fileName}`, state: 'claimed', claim: claim.claim });
  }
  if (host.files.lstat(done)) found.push({ path: done, state: 'acknowledged' });
  if (host.files.lstat(dead)) found.push({ path: dead, state: 'dead' });
  return found;
}

export function donePath(mailbox: Mailbox, name: string): string {
  const id = parseMessageFileName(name)?.id;
  if (id === undefined) throw new RangeError(`${name} is no message file name`);
  return `${mailbox.layout.done}/${dayOfId(id)}/${name}`;
}

function claimsOf(mailbox: Mailbox, name: string): { fileName: string; claim: ClaimName }[] {
  const claims: { fileName: string; claim: ClaimName }[] = [];
  for (const fileName of namesIn(mailbox.host.files, mailbox.layout.cur)) {
    if (!fileName.startsWith(name)) continue;
    const claim = parseClaimFileName(fileName);
    if (claim?.name === name) claims.push({ fileName, claim });
  }
  return claims;
}

/**
 * Whether the file holds the same signed bytes. `gone` when it is no longer there, `unverifiable` when it is not this
 * sender's message at all.
 */
export function compareSigned(
  mailbox: Mailbox,
  { path, name, signed }: { path: string; name: string; signed: Buffer },
): 'equal' | 'different' | 'unverifiable' | 'gone' {
  const inspected = inspect(mailbox, { path, name });
  if (!inspected) return 'gone';
  if ('refusal' in inspected) return 'unverifiable';
  return inspected.signed.equals(signed) ? 'equal' : 'different';
}

export interface Believed {
  readonly message: Message;
  /** The raw bytes that were signed. */
  readonly signed: Buffer;
}

type Inspected = Believed | { readonly refusal: Refusal } | undefined;

/**
 * Reads and verifies the file that lies at `path` under the message name `name`, and changes nothing. Undefined when it
 * is gone. The bytes read here are the only ones ever used.
 *
 * A refusal is for good, so none rests on keys or limits that are only remembered: it is given only when a second look,
 * with all of them read again, comes to one too. Throws when they cannot be read, or the room is not the one that was opened.
 */
export function inspect(mailbox: Mailbox, file: { path: string; name: string }): Inspected {
  const inspected = look(mailbox, file);
  if (!inspected || 'message' in inspected) return inspected;
  mailbox.room.readAnew(parseMessageFileName(file.name)?.from ?? '');
  return look(mailbox, file);
}

function look(mailbox: Mailbox, { path, name }: { path: string; name: string }): Inspected {
  try {
    const read = readBounded(mailbox.host.files, path, MESSAGE_BYTES_CEILING);
    if ('unreadable' in read) return { refusal: { reason: 'unreadable', detail: read.unreadable } };
    return mailbox.opener.open(name, read.bytes);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
