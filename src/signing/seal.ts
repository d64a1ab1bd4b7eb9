import { MessageRefused } from '../errors.ts';
import { EVERYONE } from '../message/address.ts';
import { findFault, frame, parseEnvelope, unframe, writeEnvelope } from '../message/envelope.ts';
import { findNonJson } from '../message/json-value.ts';
import { messageFileName, parseMessageFileName } from '../message/layout.ts';
import {
  MESSAGE_BYTES_CEILING,
  type Message,
  type MessageLimits,
  type Refusal,
  type RefusalReason,
} from '../message/message.ts';
import type { SigningKey } from './keys.ts';
import type { Keyring } from './keyring.ts';

/** A message as it is on disk. */
export interface SealedMessage {
  readonly message: Message;
  /** The file's name in every mailbox. */
  readonly name: string;
  /** The whole file. */
  readonly bytes: Buffer;
  /** The signed part of the file: two files with equal signed bytes are the same message. */
  readonly signed: Buffer;
}

/**
 * Serializes and signs a message. Throws `MessageRefused` if no recipient would accept it or the room's limits forbid
 * it.
 */
export function sealMessage(message: Message, options: { key: SigningKey; limits: MessageLimits }): SealedMessage {
  const notJson = message.data === undefined ? undefined : findNonJson(message.data);
  if (notJson) throw refused('bad-json', `data cannot be sent as JSON without loss at ${notJson}`);
  const signed = Buffer.from(writeEnvelope(message));
  const fault = findFault(message, signed, options.limits);
  if (fault) throw refused(fault.reason, fault.detail);
  const bytes = frame(signed, options.key.sign(signed));
  const bytesMax = Math.min(options.limits.messageBytesMax, MESSAGE_BYTES_CEILING);
  if (bytes.length > bytesMax) {
    throw refused('too-large', `the message has ${bytes.length} bytes, the limit is ${bytesMax}`);
  }
  return { message, name: messageFileName(message), bytes, signed };
}

function refused(reason: RefusalReason, detail: string): MessageRefused {
  return new MessageRefused(`The message was not sent: ${detail}.`, {
    reason,
    hint:
      reason === 'too-large'
        ? 'Put the text into a file and send its path.'
        : 'Change what the error names, then send again.',
  });
}

export type OpenResult = { readonly message: Message; readonly signed: Buffer } | { readonly refusal: Refusal };

/** Opens message files for one reader. */
export interface MessageOpener {
  open(name: string, bytes: Buffer): OpenResult;
}

/**
 * A reader's opener: first the signature, over the raw bytes, with the key of the sender in the file name; only then is
 * anything parsed. A message with a valid signature must also be meant for this room and this reader. Its time is not
 * checked: a wrong clock passes, and what is refused here is refused for good.
 */
export function createOpener(options: { roomId: string; reader: string; keyring: Keyring }): MessageOpener {
  const { roomId, reader, keyring } = options;
  return {
    open: (name, bytes) => {
      const named = parseMessageFileName(name);
      if (!named) return refusal('bad-name', 'the file name is not <id>.<sender>.json');
      const framed = unframe(bytes);
      if (!framed) return refusal('bad-frame', 'the file is not a signed message, or is incomplete');
      const key = keyring.verifierOf(named.from, framed.keyId);
      if (!key) return refusal('unknown-key', `${named.from} has no key ${framed.keyId} in this room`);
      if (!key.verify(framed.signed, framed.value)) {
        return refusal('bad-signature', `the signature is not ${named.from}'s over these bytes`);
      }
      const parsed = parseEnvelope(framed.signed);
      if ('refusal' in parsed) return parsed;
      const { message } = parsed;
      if (message.id !== named.id || message.from !== named.from) {
        return refusal('wrong-name', `the file is named ${name}, and holds ${message.id} from ${message.from}`);
      }
      if (message.room !== roomId)
        return refusal('wrong-room', `it was sent in room ${message.room}, this is ${roomId}`);
      if (!isFor(message, reader))
        return refusal('wrong-recipient', `it was sent to ${message.to.slice(0, 5).join(', ')}`);
      return { message, signed: framed.signed };
    },
  };
}

/** A broadcast is for everyone but its sender. */
function isFor(message: Message, reader: string): boolean {
  return message.to[0] === EVERYONE ? message.from !== reader : message.to.includes(reader);
}

function refusal(reason: RefusalReason, detail: string): OpenResult {
  return { refusal: { reason, detail } };
}
