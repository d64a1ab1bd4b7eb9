import type { ClaimName } from '../message/layout.ts';
import type { Refusal } from '../message/message.ts';
import { claimPath, moveToClaim, moveToDone } from './claim-path.ts';
import { giveUp, refuse } from './dead.ts';
import { listClaimable, refuseForeign } from './drain.ts';
import { type VerifiedMessage, compareSigned, donePath, readVerified } from './find.ts';
import type { Mailbox } from './mailbox.ts';
import { refusalOfPurged } from './purge.ts';
import { type VerdictFacts, applyVerdict, judgeMail } from './judge.ts';
import { claimsIn } from './entries.ts';

/**
 * The reading of a mailbox by its only reader, which records its progress in a journal instead of in file names: it
 * reads a message where it is, and moves the message only once it is handled. States of a message:
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
  const { name, path } = waiting;
  const read = readVerified(mailbox, { path, name });
  if (!read) return undefined;
  if ('refusal' in read) {
    refuse(mailbox, { path, name, refusal: read.refusal });
    return undefined;
  }
  return applyVerdict(mailbox, { path, name, message: read.message }, judgeMail(factsOf(mailbox, waiting, read)))
    ? read
    : undefined;
}

function factsOf(mailbox: Mailbox, { name, claim }: WaitingMail, { message, signed }: VerifiedMessage): VerdictFacts {
  const { limits, host, room, layout } = mailbox;
  const attempt = claim?.attempt ?? 0;
  function* copies(): VerdictFacts['copies'] {
    for (const path of [donePath(mailbox, name), `${layout.dead}/${name}`]) {
      if (host.files.lstat(path)) yield { path, compared: compareSigned(mailbox, { path, name, signed }) };
    }
  }
  return {
    copies: copies(),
    purged: () => (attempt > 0 ? undefined : refusalOfPurged(mailbox, message.id)),
    spent: () => {
      // The room may allow more attempts by now.
      if (attempt >= limits.attemptsMax) room.reread(message.from);
      if (attempt < limits.attemptsMax) return undefined;
      return { reason: 'attempts', detail: `${attempt} times its host died before the step was committed` };
    },
    expiresAt: message.expiresAt,
    now: () => host.clock.now(),
  };
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
  for (const found of claimsIn(mailbox)) {
    if (found.name === name) settleAt(mailbox, { path: found.path, name, refusal });
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
