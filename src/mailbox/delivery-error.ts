import { MailroomError, MessageDeliveryError } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import type { SealedMessage } from '../signing/seal.ts';
import type { Mailbox } from './mailbox.ts';

/** The error that a recipient's outcome carries: Mailroom's own as it is, any other told with its reason and the way to repeat it. */
export function asDeliveryError(
  mailbox: Mailbox,
  sealed: SealedMessage,
  error: unknown,
  outcome: 'failed' | 'unknown',
): MailroomError {
  if (error instanceof MailroomError && !(error instanceof MessageDeliveryError)) return error;
  const cause = error instanceof MessageDeliveryError ? error.cause : error;
  const errno = errnoOf(cause);
  const did = outcome === 'failed' ? 'was not delivered' : 'may or may not have been delivered';
  return new MessageDeliveryError(
    `The message ${sealed.message.id} ${did} to ${mailbox.address} (${mailbox.layout.new}): ${reasonOf(cause, errno)}.`,
    { cause, id: sealed.message.id, outcome, hint: `Repeating it with the same id is safe: --id ${sealed.message.id}` },
  );
}

function reasonOf(cause: unknown, errno: string | undefined): string {
  switch (errno) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the disk is full';
    case 'EROFS':
      return 'the file system is read-only';
    case 'EACCES':
      return 'permission was denied';
    case 'EMFILE':
    case 'ENFILE':
      return 'too many files are open';
    case 'ENOENT':
      return 'its mailbox directory is gone';
    default:
      return cause instanceof Error ? cause.message : String(cause);
  }
}
