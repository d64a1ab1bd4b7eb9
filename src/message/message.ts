/** What one actor sent to others. `from` is always the verified sender, never a field somebody filled in. */
export interface Message {
  /** UUIDv7. */
  readonly id: string;
  /** The id of the room it was sent in. */
  readonly room: string;
  readonly from: string;
  /** Addresses, or `['all']` for a broadcast. */
  readonly to: readonly string[];
  readonly type: string;
  /** ISO 8601 in UTC with ms; the time in the id. */
  readonly sentAt: string;
  /** Text for a reader. */
  readonly content: string;
  /** JSON for a program. */
  readonly data?: unknown;
  readonly threadId?: string;
  /** The id of the message this one answers. */
  readonly replyTo?: string;
  readonly needsAck?: boolean;
  /** ISO 8601; a recipient that sees it later keeps it as a dead letter. */
  readonly expiresAt?: string;
}

/** Bounds of one message. */
export interface MessageLimits {
  /** The whole file, in bytes. */
  readonly messageBytesMax: number;
  /** Nested arrays and objects in the signed JSON, the envelope itself counted. */
  readonly jsonDepthMax: number;
  /** How far ahead of the reader's clock an id may be, in ms. */
  readonly clockSkewMsMax: number;
}

export const THREAD_ID_CHARS_MAX = 200;
export const RECIPIENTS_MAX = 1000;
export const ENVELOPE_VERSION = 1;

/** Why a message is not believed; the first word of what lies beside it in `dead`. */
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
