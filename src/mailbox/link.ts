import { Conflict, MailroomError, MessageDeliveryError } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { createFile, createFileSynced, removeQuietly, stagedPath } from '../host/files.ts';
import type { SealedMessage } from '../signing/seal.ts';
import { claimPath, moveToClaim } from './claim-path.ts';
import { completeMailbox } from './create.ts';
import { refuse } from './dead.ts';
import { compareSigned, findBeyondNew } from './find.ts';
import type { Durability, Mailbox } from './mailbox.ts';

const LINK_TRIES_MAX = 8;

export type LinkResult = 'delivered' | 'delivered-before' | 'staged-gone' | 'cannot-link';

interface StagedMessage {
  readonly staged: string;
  /** Number of names that the staged file is known to have. */
  readonly names: number;
  readonly sealed: SealedMessage;
}

/**
 * Links a staged message into `new`. Throws `Conflict` if another message has its name, `MessageDeliveryError` if the
 * link's own error leaves open whether it happened, and the system call's error if it certainly did not.
 */
export function linkIntoNew(mailbox: Mailbox, message: StagedMessage): LinkResult {
  const { staged, sealed } = message;
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
        case 'ENOTSUP':
        case 'EOPNOTSUPP':
        case 'ENOSYS':
          if (attempt > 1) throw error;
          return 'cannot-link';
        default:
          return settleError(mailbox, message, error);
      }
    }
  }
  throw new Error(`something kept taking the name ${target}`);
}

/** The name is taken: by the same message, by another one, or by something that is not a message and is moved aside. */
function settleExisting(
  mailbox: Mailbox,
  { target, sealed }: { target: string; sealed: SealedMessage },
): LinkResult | undefined {
  const compared = compare(mailbox, target, sealed);
  return compared === 'unverifiable' ? putAside(mailbox, { target, sealed }) : compared;
}

/**
 * Moves what is not a message out of the way, and looks again before refusing it: by now it may be the message itself,
 * delivered by another attempt. As a claim that is open to all it is in nobody's way and is not lost.
 */
function putAside(
  mailbox: Mailbox,
  { target, sealed }: { target: string; sealed: SealedMessage },
): LinkResult | undefined {
  const { name } = sealed;
  const aside = moveToClaim(mailbox, { path: target, claim: { name, attempt: 0, untilMs: 0 } });
  if (!aside) return undefined;
  const path = claimPath(mailbox, aside);
  const compared = compare(mailbox, path, sealed);
  if (compared !== 'unverifiable') return compared;
  const refusal = { reason: 'bad-signature', detail: 'it had the name of a message but was not that message' } as const;
  refuse(mailbox, { path, name, refusal });
  return undefined;
}

function compare(mailbox: Mailbox, path: string, sealed: SealedMessage): LinkResult | 'unverifiable' | undefined {
  const { name, signed } = sealed;
  try {
    const compared = compareSigned(mailbox, { path, name, signed });
    if (compared === 'different') throw conflictOf(mailbox, sealed);
    if (compared === 'equal') return 'delivered-before';
    // Claimed between the link and the look. If that was this message, it was delivered.
    if (compared === 'gone') return isBeyondNew(mailbox, sealed) ? 'delivered-before' : undefined;
    return compared;
  } catch (error) {
    throw error instanceof MailroomError ? error : isOpen(sealed, error);
  }
}

/**
 * An error of the link call itself does not say what the disk did. A staged file with one more name than before was
 * linked. Otherwise the message is searched in the order in which it moves: `new`, then `cur`, then `done` and `dead`.
 */
function settleError(mailbox: Mailbox, { staged, names, sealed }: StagedMessage, error: unknown): LinkResult {
  const { name, signed } = sealed;
  let linked: boolean | undefined;
  try {
    const facts = mailbox.host.files.lstat(staged);
    if (facts && facts.nlink > names) return 'delivered';
    const inNew = { path: `${mailbox.layout.new}/${name}`, name, signed };
    if (compareSigned(mailbox, inNew) === 'equal' || isBeyondNew(mailbox, sealed)) return 'delivered';
    // Without the staged file nobody knows whether it was linked and has since gone.
    linked = facts ? false : undefined;
  } catch {
    linked = undefined;
  }
  throw linked === false ? error : isOpen(sealed, error);
}

/** Neither the link's error nor a look at the disk tells what happened. */
function isOpen(sealed: SealedMessage, cause: unknown): MessageDeliveryError {
  const text = 'the link failed, and whether it took effect could not be found out';
  return new MessageDeliveryError(text, { cause, id: sealed.message.id, outcome: 'unknown' });
}

function isBeyondNew(mailbox: Mailbox, { name, signed }: SealedMessage): boolean {
  return findBeyondNew(mailbox, name).some(({ path }) => compareSigned(mailbox, { path, name, signed }) === 'equal');
}

export function conflictOf(mailbox: Mailbox, sealed: SealedMessage): Conflict {
  return new Conflict(`${mailbox.address} already has another message with the id ${sealed.message.id}.`, {
    hint: 'Send it without --id, or repeat it with exactly the same content and options.',
  });
}

const MESSAGE_MODE = 0o400;
const NAME_TRIES_MAX = 3;

/**
 * Writes a complete message into the mailbox's `tmp`, to be linked from there. Resolves with its path; throws the
 * system call's error.
 */
export async function stageMessage(
  mailbox: Mailbox,
  { bytes, durability }: { bytes: Uint8Array; durability: Durability },
): Promise<string> {
  const { files, randomBytes } = mailbox.host;
  for (let attempt = 1; ; attempt++) {
    const path = stagedPath(mailbox.layout.tmp, randomBytes);
    try {
      if (durability === 'power') await createFileSynced(files, path, bytes, MESSAGE_MODE);
      else createFile(files, path, bytes, MESSAGE_MODE);
      return path;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== 'EEXIST') removeQuietly(files, path);
      if ((errno !== 'EEXIST' && errno !== 'ENOENT') || attempt === NAME_TRIES_MAX) throw error;
      if (errno === 'ENOENT') completeMailbox(mailbox.host, mailbox.layout);
    }
  }
}
