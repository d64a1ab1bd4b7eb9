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
  /** JSON for a program. A number that no double holds is another one here; `dataJson` has it exactly. */
  readonly data?: unknown;
  readonly threadId?: string;
  /** The id of the message this one answers. */
  readonly replyTo?: string;
  readonly needsAck?: boolean;
  /** ISO 8601; a recipient that sees it later keeps it as a dead letter. */
  readonly expiresAt?: string;
}

/** What a room allows its senders. No reader goes by it: what was delivered stays readable when a limit is lowered. */
export interface MessageLimits {
  /** The whole file, in bytes. */
  readonly messageBytesMax: number;
  /** Nested arrays and objects in the signed JSON, the envelope itself counted. */
  readonly jsonDepthMax: number;
}

/** Bounds of the format, for every reader and every room: of a message file, and of the nesting of its signed JSON. */
export const MESSAGE_BYTES_CEILING = 4 * 1024 * 1024;
export const JSON_DEPTH_CEILING = 256;

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
