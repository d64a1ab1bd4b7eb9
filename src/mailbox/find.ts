import { errnoOf } from '../host/file-system.ts';
import { readBounded } from '../host/files.ts';
import { type ClaimName, parseMessageFileName } from '../message/layout.ts';
import { dayOfId } from '../message/message-id.ts';
import { type Message, MESSAGE_BYTES_CEILING, type Refusal } from '../message/message.ts';
import type { Mailbox } from './mailbox.ts';
import { claimsIn } from './entries.ts';

/** A copy of a message that has left `new`. */
export interface MessageCopy {
  readonly path: string;
  readonly state: 'claimed' | 'acknowledged' | 'dead';
  readonly claim?: ClaimName;
}

/** Every copy of a message that was claimed, acknowledged or given up. One look; the message may move meanwhile. */
export function findBeyondNew(mailbox: Mailbox, name: string): MessageCopy[] {
  const { layout, host } = mailbox;
  const found: MessageCopy[] = [];
  const dead = `${layout.dead}/${name}`;
  const done = donePath(mailbox, name);
  // A message moves from cur to done or dead: looked at in that order, it cannot slip through between two looks.
  for (const { name: claimed, path, claim } of claimsIn(mailbox)) {
    if (claimed === name) found.push({ path, state: 'claimed', claim });
  }
  if (host.files.lstat(done)) found.push({ path: done, state: 'acknowledged' });
  if (host.files.lstat(dead)) found.push({ path: dead, state: 'dead' });
  return found;
}

export function donePath(mailbox: Mailbox, name: string): string {
  const id = parseMessageFileName(name)?.id;
  if (id === undefined) throw new RangeError(`${name} is not a message file name`);
  return `${mailbox.layout.done}/${dayOfId(id)}/${name}`;
}

/**
 * Whether the file holds the same signed bytes. `gone` if it is no longer there, `unverifiable` if it is not a message
 * of this sender at all.
 */
export function compareSigned(
  mailbox: Mailbox,
  { path, name, signed }: { path: string; name: string; signed: Buffer },
): 'equal' | 'different' | 'unverifiable' | 'gone' {
  const read = readVerified(mailbox, { path, name });
  if (!read) return 'gone';
  if ('refusal' in read) return 'unverifiable';
  return read.signed.equals(signed) ? 'equal' : 'different';
}

export interface VerifiedMessage {
  readonly message: Message;
  /** The raw bytes that were signed. */
  readonly signed: Buffer;
}

type VerifyResult = VerifiedMessage | { readonly refusal: Refusal } | undefined;

/**
 * Reads and verifies the file at `path` under the message name `name`; changes nothing. Undefined if it is gone. The
 * bytes read here are the only ones ever used.
 *
 * A refusal is final, so none rests on cached keys or limits: it is returned only if a second look, with all of them
 * read again, refuses too. Throws if they cannot be read, or the room is not the one that was opened.
 */
export function readVerified(mailbox: Mailbox, file: { path: string; name: string }): VerifyResult {
  const read = look(mailbox, file);
  if (!read || 'message' in read) return read;
  mailbox.room.reread(parseMessageFileName(file.name)?.from ?? '');
  return look(mailbox, file);
}

function look(mailbox: Mailbox, { path, name }: { path: string; name: string }): VerifyResult {
  try {
    const read = readBounded(mailbox.host.files, path, MESSAGE_BYTES_CEILING);
    if ('unreadable' in read) return { refusal: { reason: 'unreadable', detail: read.unreadable } };
    return mailbox.opener.open(name, read.bytes);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
