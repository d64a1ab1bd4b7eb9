import { inspect } from 'node:util';
import { visible } from './visible.ts';

/** What went wrong, for a program to branch on. The codes are stable across releases; message texts are not. */
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
  /** What to do next: a complete command or one sentence. */
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
 * Base class of every error that Mailroom throws. `message` and `hint` are safe to print: control characters in them are
 * escaped, and only `hint` can have several lines.
 *
 * @example
 * ```ts
 * import { MailroomError, openRoom } from 'agent-mailroom';
 *
 * try {
 *   await using room = await openRoom();
 *   await room.agent('alice').send({ to: 'bob', type: 'INFO', content: 'Done.' });
 * } catch (error) {
 *   if (!(error instanceof MailroomError) || error.code !== 'MAILBOX_FULL') throw error;
 *   console.error(error.message, error.hint);
 * }
 * ```
 */
export class MailroomError extends Error {
  /** What went wrong, for a program to branch on. */
  readonly code: ErrorCode;
  /** What to do next: a complete command or one sentence. */
  readonly hint: string | undefined;
  /** @internal */
  readonly [MARK] = true;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(visible(message), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = NAMES[code];
    this.code = code;
    this.hint = details.hint?.split('\n').map(visible).join('\n');
  }
}

/** Whether this is an error of Mailroom, also one of another copy of this package. */
export function isMailroomError(error: unknown): error is MailroomError {
  return typeof error === 'object' && error !== null && MARK in error;
}

/** Whether a `code` is one of Mailroom's own, whose texts are for people and change between releases. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(NAMES, code);
}

/** There is no room here: no `.mailroom/` was found, or the given directory is not a room. */
export class RoomNotFound extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('ROOM_NOT_FOUND', message, details);
  }
}

/** The room was deleted and another one created at its path. The new one is untouched; open it to use it. */
export class RoomReplaced extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('ROOM_REPLACED', message, details);
  }
}

/** Whether the room of this process is gone, so that the process has nothing left to do. */
export function isRoomLost(error: unknown): boolean {
  return isMailroomError(error) && (error.code === 'ROOM_NOT_FOUND' || error.code === 'ROOM_REPLACED');
}

/** Whether another reader has taken over the claim. */
export function isLeaseLost(error: unknown): boolean {
  return isMailroomError(error) && error.code === 'LEASE_LOST';
}

/** The room exists but cannot be used: it belongs to another user, has a newer format, or lies on a file system without hard links. */
export class RoomRefused extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('ROOM_REFUSED', message, details);
  }
}

/** No actor has joined under this address. */
export class ActorNotFound extends MailroomError {
  /** The address that was looked up. */
  readonly address: string;
  /** The most similar address that has joined; undefined if none is similar. */
  readonly nearest: string | undefined;

  constructor(message: string, details: ErrorDetails & { address: string; nearest?: string | undefined }) {
    super('ACTOR_NOT_FOUND', message, details);
    this.address = details.address;
    this.nearest = details.nearest;
  }
}

/** Nothing says which actor the caller is: no `--as`, no `MAILROOM_AS`, no tmux pane that has joined. */
export class IdentityUnknown extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('IDENTITY_UNKNOWN', message, details);
  }
}

/** An argument that can never work, such as a malformed address, an undeclared message type or a value out of range. */
export class InvalidInput extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('INVALID_INPUT', message, details);
  }
}

/** The sender has reached its rate limit. Nothing was sent. */
export class RateLimitExceeded extends MailroomError {
  /** When the next message is allowed, in ms since the epoch. */
  readonly retryAt: number;

  constructor(message: string, details: ErrorDetails & { retryAt: number }) {
    super('RATE_LIMIT_EXCEEDED', message, details);
    this.retryAt = details.retryAt;
  }
}

/** It is not certain that a message reached its recipient. Sending it again with the same `id` is safe: it arrives once. */
export class MessageDeliveryError extends MailroomError {
  /** The id of the message: give it to the next `send` of the same draft. */
  readonly id: string;
  /** `failed`: the message did not arrive. `unknown`: it may have arrived. */
  readonly outcome: 'failed' | 'unknown';

  constructor(message: string, details: ErrorDetails & { id: string; outcome: 'failed' | 'unknown' }) {
    super('MESSAGE_DELIVERY', message, details);
    this.id = details.id;
    this.outcome = details.outcome;
  }
}

/** The recipient's mailbox has no place for a message of this sender: see the limit `newMessagesMax`. */
export class MailboxFull extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('MAILBOX_FULL', message, details);
  }
}

/** The request contradicts what is stored, such as an address in use by a live actor or an id of another message. */
export class Conflict extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('CONFLICT', message, details);
  }
}

/** The claim is no longer this reader's: another reader took the message over, released it or acknowledged it. */
export class LeaseLost extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('LEASE_LOST', message, details);
  }
}

/** A message may not be sent, or was refused on arrival: for its signature, schema, size or expiry. */
export class MessageRefused extends MailroomError {
  /** Why, in a stable short form such as `too-large`. */
  readonly reason: string;

  constructor(message: string, details: ErrorDetails & { reason: string }) {
    super('MESSAGE_REFUSED', message, details);
    this.reason = details.reason;
  }
}

/** The hint for a file of a newer format. */
export const UPDATE_HINT = 'Use the version of Mailroom that wrote it, or a newer one.';

/** No mailbox that was searched has a message with this id or id ending. */
export class MessageNotFound extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('MESSAGE_NOT_FOUND', message, details);
  }
}

/** A chain file (journal or rate counter) is damaged: it has complete records behind a gap, so later records cannot be trusted. */
export class ChainDamaged extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('CHAIN_DAMAGED', message, details);
  }
}

/** Another host has taken over the workflow: nothing that this host still does counts. */
export class Fenced extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('FENCED', message, details);
  }
}

/** A workflow is FAILED: one of its steps throws. It keeps the state before that step until it is retried or stopped. */
export class WorkflowFailed extends MailroomError {
  /** The address of the workflow. */
  readonly address: string;
  /** What the step threw. */
  readonly error: {
    /** The name of the error's class. */
    readonly name: string;
    /** The text of the error. */
    readonly message: string;
    /** The `code` of the error, if it has one. */
    readonly code?: string;
  };
  /** Where the step threw, as `<file>:<line>:<column>`; undefined if unknown. */
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

/** The time limit of a wait passed before the event. */
export class WaitTimeout extends MailroomError {
  constructor(message: string, details?: ErrorDetails) {
    super('TIMEOUT', message, details);
  }
}

/** An error as JSON. */
export interface ErrorFacts {
  /** The name of the error's class. */
  readonly name: string;
  /** The text of the error. */
  readonly message: string;
  /** The `code` of the error, if it has one. */
  readonly code?: string;
}

export function errorFacts(error: unknown): ErrorFacts {
  if (typeof error !== 'object' || error === null) return { name: 'Error', message: String(error) };
  const { name, message, code } = error as { name?: unknown; message?: unknown; code?: unknown };
  return {
    name: typeof name === 'string' ? name : 'Error',
    message: typeof message === 'string' ? message : inspect(error, { breakLength: Infinity }),
    ...(typeof code === 'string' ? { code } : {}),
  };
}
