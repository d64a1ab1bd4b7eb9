import { Conflict, MessageDeliveryError } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import type { SealedMessage } from '../signing/seal.ts';
import { refuse } from './dead.ts';
import { compareSigned, findBeyondNew } from './find.ts';
import type { Mailbox } from './mailbox.ts';

const LINK_TRIES_MAX = 8;

export type Linked = 'delivered' | 'delivered-before' | 'staged-gone' | 'cannot-link';

/**
 * Links a staged message into `new`. Throws `Conflict` when another message has its name, `MessageDeliveryError` when
 * the link's own error leaves open whether it happened, and the system call's error when it certainly did not.
 */
export function linkIntoNew(mailbox: Mailbox, { staged, sealed }: { staged: string; sealed: SealedMessage }): Linked {
  const { files } = mailbox.host;
  const target = `${mailbox.layout.new}/${sealed.name}`;
  for (let attempt = 1; attempt <= LINK_TRIES_MAX; attempt++) {
    try {
      // At this link the message is delivered.
      files.link(staged, target);
      return 'delivered';
    } catch (error) {
      switch (errnoOf(error)) {
        case 'EEXIST': {
          const settled = settleExisting(mailbox, { target, sealed });
          if (settled) return settled;
          break;
        }
        case 'ENOENT':
          if (!files.lstat(staged)) return 'staged-gone';
          throw error;
        case 'EXDEV':
        case 'EPERM':
        case 'EMLINK':
          if (attempt > 1) throw error;
          return 'cannot-link';
        default:
          return settleError(mailbox, { staged, sealed, error });
      }
    }
  }
  throw new Error(`something kept taking the name ${target}`);
}

/** Something has the name already: the same message, another one, or something that is no message and moves aside. */
function settleExisting(
  mailbox: Mailbox,
  { target, sealed }: { target: string; sealed: SealedMessage },
): Linked | undefined {
  const compared = compareSigned(mailbox, { path: target, name: sealed.name, signed: sealed.signed });
  if (compared === 'equal') return 'delivered-before';
  if (compared === 'different') throw conflictOf(mailbox, sealed);
  if (compared === 'unverifiable') {
    refuse(mailbox, {
      path: target,
      name: sealed.name,
      refusal: { reason: 'bad-signature', detail: 'it had the name of a message and was not that message' },
    });
    return undefined;
  }
  // Claimed between the link and the look. If that was this message, it was delivered.
  return isBeyondNew(mailbox, sealed) ? 'delivered-before' : undefined;
}

/**
 * An error of the link call itself does not say what the disk did. A staged file that still has one name was certainly
 * not linked; with more names, the message is looked for along its way: `new`, then `cur`, then `done` and `dead`.
 */
function settleError(mailbox: Mailbox, options: { staged: string; sealed: SealedMessage; error: unknown }): Linked {
  const { staged, sealed, error } = options;
  const { files } = mailbox.host;
  let arrived: boolean;
  try {
    const facts = files.lstat(staged);
    const inNew = (): boolean => files.lstat(`${mailbox.layout.new}/${sealed.name}`)?.ino === facts?.ino;
    arrived = facts?.nlink !== 1 && (inNew() || isBeyondNew(mailbox, sealed));
  } catch {
    throw new MessageDeliveryError('the link failed, and so did looking whether it happened', {
      cause: error,
      id: sealed.message.id,
      outcome: 'unknown',
    });
  }
  if (arrived) return 'delivered';
  throw error;
}

function isBeyondNew(mailbox: Mailbox, { name, signed }: SealedMessage): boolean {
  return findBeyondNew(mailbox, name).some(({ path }) => compareSigned(mailbox, { path, name, signed }) === 'equal');
}

export function conflictOf(mailbox: Mailbox, sealed: SealedMessage): Conflict {
  return new Conflict(`${mailbox.address} already has another message with the id ${sealed.message.id}.`, {
    hint: 'Send it without --id, or repeat it with exactly the same content and options.',
  });
}
