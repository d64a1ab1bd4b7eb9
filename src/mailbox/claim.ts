import { LeaseLost } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { ensureDirectory, removeQuietly, renameSettled } from '../host/files.ts';
import { claimFileName, parseClaimFileName, type ClaimName } from '../message/layout.ts';
import { dayOfId } from '../message/message-id.ts';
import type { Refusal } from '../message/message.ts';
import { giveUp, refuse } from './dead.ts';
import { compareSigned, donePath, findBeyondNew } from './find.ts';
import { inspect, type Believed } from './inspect.ts';
import type { Mailbox } from './mailbox.ts';

/** A verified message under a lease. The file name holds the whole state of the claim. */
export interface Claim extends ClaimName, Believed {}

/**
 * Claims a message in `new`. Undefined when there is nothing to act on: somebody else was first, it was a duplicate, or
 * it was put aside as a dead letter.
 */
export function claimNew(mailbox: Mailbox, { name, leaseMs }: { name: string; leaseMs: number }): Claim | undefined {
  const path = `${mailbox.layout.new}/${name}`;
  const opened = openFile(mailbox, { path, name });
  if (!opened) return undefined;
  const claimName: ClaimName = { name, attempt: 1, untilMs: mailbox.host.clock.now() + leaseMs };
  // At this rename the message is claimed; only its holder may drop it from here on.
  if (!moved(mailbox, path, claimPath(mailbox, claimName))) return undefined;
  return settle(mailbox, { ...claimName, ...opened }, { ofClaims: true });
}

/** Takes over a claim whose lease has ended or was released. Undefined as in `claimNew`. */
export function takeOver(mailbox: Mailbox, options: { claim: ClaimName; leaseMs: number }): Claim | undefined {
  const { claim: before, leaseMs } = options;
  const path = claimPath(mailbox, before);
  const opened = openFile(mailbox, { path, name: before.name });
  if (!opened) return undefined;
  if (before.attempt >= mailbox.limits.attemptsMax) {
    const detail = `it was claimed ${before.attempt} times and never acknowledged`;
    giveUp(mailbox, { path, name: before.name, message: opened.message, refusal: { reason: 'attempts', detail } });
    return undefined;
  }
  const after: ClaimName = {
    name: before.name,
    attempt: before.attempt + 1,
    untilMs: mailbox.host.clock.now() + leaseMs,
  };
  if (!moved(mailbox, path, claimPath(mailbox, after))) return undefined;
  // Only what came from `new` yields to another claim: of two copies taken over at once, each would yield to the other.
  return settle(mailbox, { ...after, ...opened }, { ofClaims: false });
}

/** Whether anybody may take the claim over: released, past its end, or further ahead than any lease is. */
export function isOpenToAll(mailbox: Mailbox, claim: ClaimName): boolean {
  const now = mailbox.host.clock.now();
  return claim.untilMs <= now || claim.untilMs > now + mailbox.limits.leaseMsMax;
}

/** Extends the lease to `leaseMs` from now; it never gets shorter. Throws `LeaseLost` when the claim is no longer this one. */
export function renew(mailbox: Mailbox, { claim, leaseMs }: { claim: Claim; leaseMs: number }): Claim {
  const untilMs = Math.max(mailbox.host.clock.now() + leaseMs, claim.untilMs + 1);
  const renewed: Claim = { ...claim, untilMs };
  if (!moved(mailbox, claimPath(mailbox, claim), claimPath(mailbox, renewed))) throw leaseLost(mailbox, claim);
  return renewed;
}

/** Ends the claim early, so that another may take it over. Throws `LeaseLost`. */
export function release(mailbox: Mailbox, claim: Claim): void {
  const released = claimPath(mailbox, { ...claim, untilMs: 0 });
  if (!moved(mailbox, claimPath(mailbox, claim), released)) throw leaseLost(mailbox, claim);
}

/** Files the message under `done`. Throws `LeaseLost` when the claim is no longer this one; then nothing was changed. */
export function acknowledge(mailbox: Mailbox, claim: Claim): void {
  const from = claimPath(mailbox, claim);
  const to = donePath(mailbox, claim.name);
  const day = dayOfId(claim.message.id);
  const { memory, host, layout } = mailbox;
  if (!memory.doneDays.has(day)) {
    ensureDirectory(host.files, `${layout.done}/${day}`);
    memory.doneDays.add(day);
  }
  // At this rename the message is acknowledged.
  if (moved(mailbox, from, to)) return;
  // The day may have been purged since it was remembered.
  memory.doneDays.delete(day);
  ensureDirectory(host.files, `${layout.done}/${day}`);
  if (!moved(mailbox, from, to)) throw leaseLost(mailbox, claim);
}

/** Gives a claimed message up as a dead letter, with the holder's reason. Throws `LeaseLost`. */
export function reject(mailbox: Mailbox, { claim, detail }: { claim: Claim; detail: string }): void {
  const { name, message } = claim;
  const refusal: Refusal = { reason: 'rejected', detail };
  if (!giveUp(mailbox, { path: claimPath(mailbox, claim), name, message, refusal })) throw leaseLost(mailbox, claim);
}

/** The claim that this file in `cur` is, verified again. Undefined when it is gone or no longer believable. */
export function openClaim(mailbox: Mailbox, fileName: string): Claim | undefined {
  const claimName = parseClaimFileName(fileName);
  const opened = claimName && openFile(mailbox, { path: `${mailbox.layout.cur}/${fileName}`, name: claimName.name });
  return opened && { ...claimName, ...opened };
}

function claimPath(mailbox: Mailbox, claim: ClaimName): string {
  return `${mailbox.layout.cur}/${claimFileName(claim)}`;
}

/** Renames; false when the source was gone, which is how a holder learns that it is none any more. */
function moved(mailbox: Mailbox, from: string, to: string): boolean {
  try {
    renameSettled(mailbox.host.files, from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Reads and verifies; what is not believed is put aside. */
function openFile(mailbox: Mailbox, file: { path: string; name: string }): Believed | undefined {
  const inspected = inspect(mailbox, file);
  if (!inspected || 'message' in inspected) return inspected;
  refuse(mailbox, { ...file, refusal: inspected.refusal });
  return undefined;
}

/** The claim, unless it is to be dropped. What cannot be decided now is given back: nobody should wait for the lease to end. */
function settle(mailbox: Mailbox, claim: Claim, of: { ofClaims: boolean }): Claim | undefined {
  try {
    return isDuplicate(mailbox, claim, of) ? undefined : heldUnlessExpired(mailbox, claim);
  } catch (error) {
    try {
      // It was never handed out, so it does not count as an attempt: a disk that is full for a while gives up no mail.
      moved(
        mailbox,
        claimPath(mailbox, claim),
        claimPath(mailbox, { ...claim, attempt: claim.attempt - 1, untilMs: 0 }),
      );
    } catch {
      // Then it comes back when the lease ends.
    }
    throw error;
  }
}

/**
 * Looked at only after the rename: of two copies, the one with the smaller claim is acted on, and each holder drops only
 * its own file. A copy with other signed bytes is kept as refused.
 */
function isDuplicate(mailbox: Mailbox, claim: Claim, { ofClaims }: { ofClaims: boolean }): boolean {
  const own = claimPath(mailbox, claim);
  for (const found of findBeyondNew(mailbox, claim.name)) {
    if (found.claim && !(ofClaims && isSmaller(found.claim, claim))) continue;
    const compared = compareSigned(mailbox, { path: found.path, name: claim.name, signed: claim.signed });
    if (compared === 'equal') {
      removeQuietly(mailbox.host.files, own);
      mailbox.observe({ kind: 'duplicate', message: claim.message });
      return true;
    }
    if (compared === 'different') {
      const detail = `it has the id of another message that lies at ${found.path}`;
      refuse(mailbox, { path: own, name: claim.name, refusal: { reason: 'duplicate-differs', detail } });
      return true;
    }
  }
  return false;
}

function isSmaller(a: ClaimName, b: ClaimName): boolean {
  return a.attempt !== b.attempt ? a.attempt < b.attempt : a.untilMs < b.untilMs;
}

function heldUnlessExpired(mailbox: Mailbox, claim: Claim): Claim | undefined {
  const { expiresAt } = claim.message;
  if (expiresAt === undefined || Date.parse(expiresAt) > mailbox.host.clock.now()) return claim;
  const refusal: Refusal = { reason: 'expired', detail: `it was to be read before ${expiresAt}` };
  giveUp(mailbox, { path: claimPath(mailbox, claim), name: claim.name, message: claim.message, refusal });
  return undefined;
}

function leaseLost(mailbox: Mailbox, claim: Claim): LeaseLost {
  return new LeaseLost(
    `The claim on ${claim.message.id} of ${mailbox.address} (attempt ${claim.attempt}) is no longer this holder's: it was taken over, released or acknowledged elsewhere.`,
    { hint: `See where it is: mailroom status ${claim.message.id.slice(-8)}` },
  );
}
