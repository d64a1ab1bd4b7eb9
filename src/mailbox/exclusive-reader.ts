import { namesIn, removeQuietly } from '../host/files.ts';
import { parseClaimFileName, type ClaimName } from '../message/layout.ts';
import type { Refusal } from '../message/message.ts';
import { claimPath, moveToClaim, moveToDone } from './claim-path.ts';
import { giveUp, refuse } from './dead.ts';
import { listClaimable, refuseForeign } from './drain.ts';
import { type VerifiedMessage, compareSigned, donePath, readVerified } from './find.ts';
import type { Mailbox } from './mailbox.ts';
import { refusalOfPurged } from './purge.ts';

/**
 * The reading of a mailbox by its only reader, which records its progress in a journal instead of in file names: it reads a
 * message where it is, and moves the message only once it is handled. States of a message:
 *
 * | in                          | means                                                          |
 * |-----------------------------|----------------------------------------------------------------|
 * | `new/<name>`                | waits                                                          |
 * | `cur/<name>,<attempt>,0`    | waits; up to this many hosts have died of it                   |
 * | `done`, `dead`              | handled                                                        |
 */
export interface WaitingMail {
  readonly name: string;
  readonly path: string;
  /** Its claim, if the message was tried before. */
  readonly claim?: ClaimName;
}

/**
 * Waiting mail, oldest first. Messages claimed by hand are left to their holders; what is not a message is put aside.
 */
export function listWaiting(mailbox: Mailbox): WaitingMail[] {
  const { arrived, open, foreign } = listClaimable(mailbox);
  const { layout } = mailbox;
  refuseForeign(mailbox, { foreign });
  const claims = open.map((claim): WaitingMail => ({ name: claim.name, path: claimPath(mailbox, claim), claim }));
  const fresh = arrived.map((name): WaitingMail => ({ name, path: `${layout.new}/${name}` }));
  return [...claims, ...fresh].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/**
 * Verifies a waiting message where it is. Undefined if there is nothing to act on: it was put aside, was given up, is a
 * copy of a handled message, or is gone.
 */
export function verify(mailbox: Mailbox, waiting: WaitingMail): VerifiedMessage | undefined {
  const { name, path, claim } = waiting;
  const read = readVerified(mailbox, { path, name });
  if (!read) return undefined;
  if ('refusal' in read) {
    refuse(mailbox, { path, name, refusal: read.refusal });
    return undefined;
  }
  const { message, signed } = read;
  for (const settled of [donePath(mailbox, name), `${mailbox.layout.dead}/${name}`]) {
    if (!mailbox.host.files.lstat(settled)) continue;
    const compared = compareSigned(mailbox, { path: settled, name, signed });
    if (compared === 'different') {
      const detail = `it has the id of another message, at ${settled}`;
      refuse(mailbox, { path, name, refusal: { reason: 'duplicate-differs', detail } });
      return undefined;
    }
    if (compared !== 'equal') continue;
    removeQuietly(mailbox.host.files, path);
    mailbox.observe({ kind: 'duplicate', message });
    return undefined;
  }
  const refusal = claim && claim.attempt > 0 ? undefined : refusalOfPurged(mailbox, message.id);
  if (refusal) {
    refuse(mailbox, { path, name, refusal });
    return undefined;
  }
  const spent = spentReason(mailbox, read, claim);
  if (!spent) return read;
  giveUp(mailbox, { path, name, message, refusal: spent });
  return undefined;
}

function spentReason(
  { limits, host, room }: Mailbox,
  { message }: VerifiedMessage,
  claim: ClaimName | undefined,
): Refusal | undefined {
  // The room may allow more attempts by now.
  if (claim && claim.attempt >= limits.attemptsMax) room.readAnew(message.from);
  if (claim && claim.attempt >= limits.attemptsMax) {
    return { reason: 'attempts', detail: `${claim.attempt} times its host died before the step was committed` };
  }
  if (message.expiresAt === undefined || Date.parse(message.expiresAt) > host.clock.now()) return undefined;
  return { reason: 'expired', detail: `it expired at ${message.expiresAt}` };
}

/** Counts an attempt in the file name before it is made; undefined if the message is gone. */
export function countAttempt(mailbox: Mailbox, { name, path, claim }: WaitingMail): WaitingMail | undefined {
  const counted = moveToClaim(mailbox, { path, claim: { name, attempt: (claim?.attempt ?? 0) + 1, untilMs: 0 } });
  return counted && { name, path: claimPath(mailbox, counted), claim: counted };
}

/** Moves a handled message to `done`, or to `dead` with a reason, wherever it is. Idempotent. */
export function settle(mailbox: Mailbox, name: string, refusal?: Refusal): void {
  const { layout } = mailbox;
  if (settleAt(mailbox, { path: `${layout.new}/${name}`, name, refusal })) return;
  for (const fileName of namesIn(mailbox.host.files, layout.cur)) {
    if (parseClaimFileName(fileName)?.name === name)
      settleAt(mailbox, { path: `${layout.cur}/${fileName}`, name, refusal });
  }
}

function settleAt(
  mailbox: Mailbox,
  { path, name, refusal }: { path: string; name: string; refusal: Refusal | undefined },
): boolean {
  if (!refusal) return moveToDone(mailbox, path, name);
  const read = readVerified(mailbox, { path, name });
  if (!read || 'refusal' in read) return false;
  return giveUp(mailbox, { path, name, message: read.message, refusal });
}
