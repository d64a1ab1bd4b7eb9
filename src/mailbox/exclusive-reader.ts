import { namesIn, removeQuietly } from '../host/files.ts';
import { parseClaimFileName, type ClaimName } from '../message/layout.ts';
import type { Refusal } from '../message/message.ts';
import { claimPath, moveToClaim, moveToDone } from './claim-path.ts';
import { giveUp, refuse } from './dead.ts';
import { listWaiting, refuseForeign } from './drain.ts';
import { type Believed, compareSigned, donePath, inspect } from './find.ts';
import type { Mailbox } from './mailbox.ts';
import { refusalOfPurged } from './purge.ts';

/**
 * What a reader does that owns its mailbox alone and has a better place than a file's name to write down how far it is: it
 * looks at a message where it lies, and moves it only once it is dealt with. States of a message here:
 *
 * | lies in                     | means                                                          |
 * |-----------------------------|----------------------------------------------------------------|
 * | `new/<name>`                | waits                                                          |
 * | `cur/<name>,<attempt>,0`    | waits; so many hosts may have died of it                       |
 * | `done`, `dead`              | dealt with                                                     |
 */
export interface WaitingMail {
  readonly name: string;
  readonly path: string;
  /** The claim it lies under, if it was tried before. */
  readonly claim?: ClaimName;
}

/** What waits, oldest first; what somebody has claimed by hand is left to them. What is no message is put aside. */
export function listOwn(mailbox: Mailbox): WaitingMail[] {
  const { arrived, open, foreign } = listWaiting(mailbox);
  const { layout } = mailbox;
  refuseForeign(mailbox, { foreign });
  const claims = open.map((claim): WaitingMail => ({ name: claim.name, path: claimPath(mailbox, claim), claim }));
  const fresh = arrived.map((name): WaitingMail => ({ name, path: `${layout.new}/${name}` }));
  return [...claims, ...fresh].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/**
 * Verifies a waiting message where it lies. Undefined when there is nothing to act on: it was put aside, given up, is a
 * copy of one that was dealt with, or is gone.
 */
export function examine(mailbox: Mailbox, waiting: WaitingMail): Believed | undefined {
  const { name, path, claim } = waiting;
  const inspected = inspect(mailbox, { path, name });
  if (!inspected) return undefined;
  if ('refusal' in inspected) {
    refuse(mailbox, { path, name, refusal: inspected.refusal });
    return undefined;
  }
  const { message, signed } = inspected;
  for (const settled of [donePath(mailbox, name), `${mailbox.layout.dead}/${name}`]) {
    if (!mailbox.host.files.lstat(settled)) continue;
    const compared = compareSigned(mailbox, { path: settled, name, signed });
    if (compared === 'different') {
      const detail = `it has the id of another message that lies at ${settled}`;
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
  const spent = spentReason(mailbox, inspected, claim);
  if (!spent) return inspected;
  giveUp(mailbox, { path, name, message, refusal: spent });
  return undefined;
}

function spentReason(
  { limits, host, room }: Mailbox,
  { message }: Believed,
  claim: ClaimName | undefined,
): Refusal | undefined {
  // The room may allow more by now.
  if (claim && claim.attempt >= limits.attemptsMax) room.readAnew(message.from);
  if (claim && claim.attempt >= limits.attemptsMax) {
    return { reason: 'attempts', detail: `${claim.attempt} times its host ended before the step was committed` };
  }
  if (message.expiresAt === undefined || Date.parse(message.expiresAt) > host.clock.now()) return undefined;
  return { reason: 'expired', detail: `it was to be read before ${message.expiresAt}` };
}

/** Writes into its name that it is tried once more, before the try; undefined when it is gone. */
export function countTry(mailbox: Mailbox, { name, path, claim }: WaitingMail): WaitingMail | undefined {
  const counted = moveToClaim(mailbox, { path, claim: { name, attempt: (claim?.attempt ?? 0) + 1, untilMs: 0 } });
  return counted && { name, path: claimPath(mailbox, counted), claim: counted };
}

/**
 * Files a message that was dealt with under `done`, or as a dead letter with its reason, wherever it lies by now. Repeating
 * it is nothing.
 */
export function settleOwn(mailbox: Mailbox, name: string, refusal?: Refusal): void {
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
  const inspected = inspect(mailbox, { path, name });
  if (!inspected || 'refusal' in inspected) return false;
  return giveUp(mailbox, { path, name, message: inspected.message, refusal });
}
