/** A message from one actor to others. */
export interface Message {
  /** The message's id, a UUIDv7. */
  readonly id: string;
  /** The id of the room that the message was sent in. */
  readonly room: string;
  /** The verified sender: the owner of the key that signed the message. */
  readonly from: string;
  /** The recipients' addresses, or `['all']` for a broadcast. */
  readonly to: readonly string[];
  /** The message type, such as `QUESTION`. */
  readonly type: string;
  /** When the message was sent, in ISO 8601 in UTC with ms; the same time as in the id. */
  readonly sentAt: string;
  /** Text for a reader. */
  readonly content: string;
  /** JSON for a program. Numbers are rounded to doubles; `dataJson` has them exactly. */
  readonly data?: unknown;
  /** The conversation that the message belongs to, 1 to 200 characters. */
  readonly threadId?: string;
  /** The id of the message that this one answers. */
  readonly replyTo?: string;
  /** Whether the sender asks the recipient to acknowledge the message. */
  readonly needsAck?: boolean;
  /** When the message expires, in ISO 8601. A reader that finds it later makes it a dead letter. */
  readonly expiresAt?: string;
}

/** Limits for senders. Readers ignore them: a delivered message stays readable when a limit is lowered. */
export interface MessageLimits {
  /** Size of the message's file in bytes. Default: 256 KiB. */
  readonly messageBytesMax: number;
  /** Depth of nested arrays and objects in the signed JSON, including the envelope. Default: 64. */
  readonly jsonDepthMax: number;
}

/** Limits of the format, for every reader and every room: the size of a message file and the depth of its signed JSON. */
export const MESSAGE_BYTES_CEILING = 4 * 1024 * 1024;
export const JSON_DEPTH_CEILING = 256;

export const THREAD_ID_CHARS_MAX = 200;
export const RECIPIENTS_MAX = 1000;
export const ENVELOPE_VERSION = 1;

/** Why a message was refused. It is the `reason` in the file beside a dead letter. */
export type RefusalReason =
  | 'unreadable'
  | 'bad-name'
  | 'too-large'
  | 'bad-frame'
  | 'unknown-key'
  | 'bad-signature'
  | 'bad-encoding'
  | 'bad-json'
  | 'bad-envelope'
  | 'newer-version'
  | 'wrong-name'
  | 'wrong-room'
  | 'wrong-recipient'
  | 'from-the-future'
  | 'purged'
  | 'duplicate-differs'
  | 'expired'
  | 'attempts'
  | 'rejected'
  | 'undeclared-type'
  | 'bad-data'
  | 'not-believed'
  | 'ended'
  | 'step-failed';

export interface Refusal {
  readonly reason: RefusalReason;
  /** One sentence: expected and got. */
  readonly detail: string;
}
