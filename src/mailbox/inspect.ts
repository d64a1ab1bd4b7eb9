import { errnoOf } from '../host/file-system.ts';
import { readBounded } from '../host/files.ts';
import { MESSAGE_BYTES_CEILING, type Message, type Refusal } from '../message/message.ts';
import type { Mailbox } from './mailbox.ts';

export interface Believed {
  readonly message: Message;
  /** The raw bytes that were signed. */
  readonly signed: Buffer;
}

/**
 * Reads and verifies the file that lies at `path` under the message name `name`, and changes nothing. Undefined when it
 * is gone. The bytes read here are the only ones ever used.
 */
export function inspect(
  mailbox: Mailbox,
  { path, name }: { path: string; name: string },
): Believed | { readonly refusal: Refusal } | undefined {
  try {
    const read = readBounded(mailbox.host.files, path, MESSAGE_BYTES_CEILING);
    if ('unreadable' in read) return { refusal: { reason: 'unreadable', detail: read.unreadable } };
    return mailbox.opener.open(name, read.bytes);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
