import { visible } from './visible.ts';

/**
 * The outcomes that a caller treats differently. Every error of Mailroom is a `MailroomError`; `code` is stable across
 * releases, the text is for people.
 */
export type ErrorCode =
  | 'ROOM_NOT_FOUND'
  | 'ROOM_REPLACED'
  | 'ROOM_REFUSED'
  | 'ACTOR_NOT_FOUND'
  | 'IDENTITY_UNKNOWN'
  | 'INVALID_INPUT'
  | 'RATE_LIMIT_EXCEEDED'
  | 'MESSAGE_DELIVERY'
  | 'MESSAGE_REFUSED'
  | 'MESSAGE_NOT_FOUND'
  | 'MAILBOX_FULL'
  | 'CONFLICT'
  | 'LEASE_LOST'
  | 'CHAIN_DAMAGED'
  | 'FENCED'
  | 'WORKFLOW_FAILED'
  | 'COMMAND_FAILED'
  | 'TIMEOUT';

interface ErrorDetails {
  readonly cause?: unknown;
  /** What to do next: a command in full, or one sentence. */
  readonly hint?: string | undefined;
}

/** Spelled out, because a release is minified, and these names are in journals and outputs. */
const NAMES: Readonly<Record<ErrorCode, string>> = {
  ROOM_NOT_FOUND: 'RoomNotFound',
  ROOM_REPLACED: 'RoomReplaced',
  ROOM_REFUSED: 'RoomRefused',
  ACTOR_NOT_FOUND: 'ActorNotFound',
  IDENTITY_UNKNOWN: 'IdentityUnknown',
  INVALID_INPUT: 'InvalidInput',
  RATE_LIMIT_EXCEEDED: 'RateLimitExceeded',
  MESSAGE_DELIVERY: 'MessageDeliveryError',
  MESSAGE_REFUSED: 'MessageRefused',
  MESSAGE_NOT_FOUND: 'MessageNotFound',
  MAILBOX_FULL: 'MailboxFull',
  CONFLICT: 'Conflict',
  LEASE_LOST: 'LeaseLost',
  CHAIN_DAMAGED: 'ChainDamaged',
  FENCED: 'Fenced',
  WORKFLOW_FAILED: 'WorkflowFailed',
  COMMAND_FAILED: 'JobFailed',
  TIMEOUT: 'WaitTimeout',
};

/** Shared by every copy of this package that a process may load. */
const MARK = Symbol.for('mailroom.error');

/**
 * Base of every error that Mailroom throws: `code` is the outcome, `hint` what to do next. Both texts quote what others
 * wrote and get printed, so characters that would act on a terminal are escaped; only a hint has several lines.
 */
export class MailroomError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly [MARK] = true;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(visible(message), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = NAMES[code];
    this.code = code;
    this.hint = details.hint?.split('\n').map(visible).join('\n');
  }
}

/** Whether this is an error of Mailroom, even of another copy of the package. */
export function isMailroomError(error: unknown): error is MailroomError {
  return typeof error === 'object' && error !== null && MARK in error;
}

/** No `.mailroom/` was found, or the directory named is not a room. */
export class RoomNotFound extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('ROOM_NOT_FOUND', message, details);
  }
}

/** Another room is at the path of the one that was opened. The new room was not touched; open it to work in it. */
export class RoomReplaced extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('ROOM_REPLACED', message, details);
  }
}

/** Whether the room that a process worked in is gone, so that the process has nothing left to do. */
export function isRoomLost(error: unknown): boolean {
  return isMailroomError(error) && (error.code === 'ROOM_NOT_FOUND' || error.code === 'ROOM_REPLACED');
}

/** Whether the claim belongs to another reader by now. */
export function isLeaseLost(error: unknown): boolean {
  return isMailroomError(error) && error.code === 'LEASE_LOST';
}

/** The room exists but cannot be used: another owner, a newer format, a file system without hard links. */
export class RoomRefused extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('ROOM_REFUSED', message, details);
  }
}

/** No actor has joined under this address; `nearest` is the most similar joined address. */
export class ActorNotFound extends MailroomError {
  readonly address: string;
  readonly nearest: string | undefined;

  constructor(message: string, details: ErrorDetails & { address: string; nearest?: string | undefined }) {
    super('ACTOR_NOT_FOUND', message, details);
    this.address = details.address;
    this.nearest = details.nearest;
  }
}

/** It is unknown which actor the caller is. */
export class IdentityUnknown extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('IDENTITY_UNKNOWN', message, details);
  }
}

/** An argument that can never work: an invalid address, an undeclared type, a value out of its range. */
export class InvalidInput extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('INVALID_INPUT', message, details);
  }
}

/** The sender has reached its rate limit; `retryAt` (ms since the epoch) is when it can send again. */
export class RateLimitExceeded extends MailroomError {
  readonly retryAt: number;

  constructor(message: string, details: ErrorDetails & { retryAt: number }) {
    super('RATE_LIMIT_EXCEEDED', message, details);
    this.retryAt = details.retryAt;
  }
}

/**
 * A message did not verifiably reach its recipient. `outcome` is `failed` if it certainly did not arrive and `unknown`
 * if it may have; retrying with the same `id` is safe in both cases.
 */
export class MessageDeliveryError extends MailroomError {
  readonly id: string;
  readonly outcome: 'failed' | 'unknown';

  constructor(message: string, details: ErrorDetails & { id: string; outcome: 'failed' | 'unknown' }) {
    super('MESSAGE_DELIVERY', message, details);
    this.id = details.id;
    this.outcome = details.outcome;
  }
}

/** As many messages of this sender wait at the recipient as there are free places, or no place is free. */
export class MailboxFull extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('MAILBOX_FULL', message, details);
  }
}

/**
 * The request conflicts with the current state: an id or address in use by something else, or a message already
 * handled.
 */
export class Conflict extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('CONFLICT', message, details);
  }
}

/** The claim is no longer this holder's: it was taken over, released or acknowledged elsewhere. */
export class LeaseLost extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('LEASE_LOST', message, details);
  }
}

/** A message that may not be sent or accepted: signature, schema, size, expiry; `reason` is the stable short form. */
export class MessageRefused extends MailroomError {
  readonly reason: string;

  constructor(message: string, details: ErrorDetails & { reason: string }) {
    super('MESSAGE_REFUSED', message, details);
    this.reason = details.reason;
  }
}

/** The hint for a file of a newer format. */
export const UPDATE_HINT = 'Use the version of Mailroom that wrote it, or a newer one.';

/** No message with this id, or id ending, is in the mailboxes searched. */
export class MessageNotFound extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('MESSAGE_NOT_FOUND', message, details);
  }
}

/** A chain file has complete records beyond a gap: it was damaged, and continuing would be silently wrong. */
export class ChainDamaged extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('CHAIN_DAMAGED', message, details);
  }
}

/** Another host has taken the workflow over; nothing this host does counts any more. */
export class Fenced extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('FENCED', message, details);
  }
}

/**
 * A workflow is FAILED: it cannot get past a step that throws, and stays as it was before. `error` is what the step
 * threw; `place` is where (`<file>:<line>:<column>`), if known.
 */
export class WorkflowFailed extends MailroomError {
  readonly address: string;
  readonly error: { readonly name: string; readonly message: string; readonly code?: string };
  readonly place: string | undefined;

  constructor(
    message: string,
    details: ErrorDetails & Pick<WorkflowFailed, 'address' | 'error'> & { place?: string | undefined },
  ) {
    super('WORKFLOW_FAILED', message, details);
    this.address = details.address;
    this.error = details.error;
    this.place = details.place;
  }
}

/** The wait ended before the awaited condition was met. */
export class WaitTimeout extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('TIMEOUT', message, details);
  }
}
