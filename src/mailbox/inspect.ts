import { errnoOf } from '../host/file-system.ts';
import { readBounded } from '../host/files.ts';
import { parseMessageFileName } from '../message/layout.ts';
import { MESSAGE_BYTES_CEILING, type Message, type Refusal } from '../message/message.ts';
import type { Mailbox } from './mailbox.ts';

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
