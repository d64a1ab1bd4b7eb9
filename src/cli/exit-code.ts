import { isMailroomError, type ErrorCode } from '../errors.ts';
import { WithAdvice } from './report-error.ts';

export const EXIT_OK = 0;
export const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
const EXIT_NOT_FOUND = 3;
const EXIT_TIMEOUT = 4;
const EXIT_REFUSED = 5;
const EXIT_CONFLICT = 6;

const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  ROOM_NOT_FOUND: EXIT_NOT_FOUND,
  ROOM_REPLACED: EXIT_NOT_FOUND,
  ROOM_REFUSED: EXIT_FAILURE,
  ACTOR_NOT_FOUND: EXIT_NOT_FOUND,
  IDENTITY_UNKNOWN: EXIT_USAGE,
  INVALID_INPUT: EXIT_USAGE,
  RATE_LIMIT_EXCEEDED: EXIT_CONFLICT,
  MESSAGE_DELIVERY: EXIT_FAILURE,
  MESSAGE_REFUSED: EXIT_REFUSED,
  MESSAGE_NOT_FOUND: EXIT_NOT_FOUND,
  MAILBOX_FULL: EXIT_CONFLICT,
  CONFLICT: EXIT_CONFLICT,
  LEASE_LOST: EXIT_CONFLICT,
  CHAIN_DAMAGED: EXIT_FAILURE,
  FENCED: EXIT_CONFLICT,
  WORKFLOW_FAILED: EXIT_FAILURE,
  COMMAND_FAILED: EXIT_FAILURE,
  TIMEOUT: EXIT_TIMEOUT,
};

/** The exit code of a command that ended with this error; any error that is not Mailroom's own is a failure. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof WithAdvice) return exitCodeOf(error.error);
  return isMailroomError(error) ? EXIT_CODES[error.code] : EXIT_FAILURE;
}
