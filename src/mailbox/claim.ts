import { LeaseLost } from '../errors.ts';
import { namesIn, removeQuietly } from '../host/files.ts';
import { parseClaimFileName, type ClaimName } from '../message/layout.ts';
import type { Refusal } from '../message/message.ts';
import { claimPath, moveToClaim, moveToDone } from './claim-path.ts';
import { giveUp, refuse } from './dead.ts';
import { type Believed, compareSigned, findBeyondNew, inspect } from './find.ts';
import type { Mailbox } from './mailbox.ts';
import { refusalOfPurged } from './purge.ts';

/** A verified message under a lease. The file name holds the whole state of the claim. */
export interface Claim extends ClaimName, Believed {}

/**
 * Claims a message in `new`. Undefined when there is nothing to act on: somebody else was first, it was a duplicate, or
 * it was put aside as a dead letter.
 */
export function claimNew(mailbox: Mailbox, { name, leaseMs }: { name: string; leaseMs: number }): Claim | undefined {
  const untilMs = mailbox.host.clock.now() + leaseMs;
  const own = claimFile(mailbox, { path: `${mailbox.layout.new}/${name}`, claim: { name, attempt: 1, untilMs } });
  return own && settle(mailbox, own, { isNew: true, isUnjudged: true });
}

/** Takes over a claim whose lease has ended or was released. Undefined as in `claimNew`. */
export function takeOver(mailbox: Mailbox, options: { claim: ClaimName; leaseMs: number }): Claim | undefined {
  const { claim: before, leaseMs } = options;
  const untilMs = mailbox.host.clock.now() + leaseMs;
  const own = claimFile(mailbox, {
    path: claimPath(mailbox, before),
    claim: { name: before.name, attempt: attemptAfter(before), untilMs },
  });
  return own && settle(mailbox, own, { isNew: false, isUnjudged: before.attempt === 0 });
}

/** What was kept in part was claimed once. As attempt 1 it could have the name of a first claim that its reader is about to drop. */
function attemptAfter({ attempt, untilMs }: ClaimName): number {
  return attempt === 0 && untilMs > 0 ? ATTEMPT_AFTER_PART : attempt + 1;
}

const ATTEMPT_AFTER_PART = 2;

/** Where a claim was taken from. */
interface Origin {
  /** From `new`. */
  readonly isNew: boolean;
  /** From there, or from attempt 0. */
  readonly isUnjudged: boolean;
}

function claimFile(mailbox: Mailbox, { path, claim }: { path: string; claim: ClaimName }): ClaimName | undefined {
  try {
    // At this rename the message is claimed; only its holder may drop it from here on.
    return moveToClaim(mailbox, { path, claim });
  } catch (error) {
    const { name } = claim;
    const inspected = inspect(mailbox, { path, name });
    if (!inspected || 'message' in inspected) throw error;
    // Not a message, and not even to be moved: told once, and skipped from then on.
    refuse(mailbox, { path, name, refusal: inspected.refusal });
    return undefined;
  }
}

/** Whether anybody may take the claim over: released, past its end, or further ahead than any lease is. */
export function isOpenToAll({ host, limits }: Mailbox, { untilMs }: ClaimName): boolean {
  return untilMs <= host.clock.now() || untilMs > host.clock.now() + limits.leaseMsMax;
}

export interface ClaimState {
  /** `released` also when its lease has ended: anybody may take it over. */
  readonly state: 'claimed' | 'released';
  readonly attempt: number;
  /** End of the lease, ms since the epoch; 0 when there is none. */
  readonly untilMs: number;
}

/** What a claim is to whoever looks at the mailbox now. */
export function stateOfClaim(mailbox: Mailbox, claim: ClaimName): ClaimState {
  const { attempt, untilMs } = claim;
  return isOpenToAll(mailbox, claim)
    ? { state: 'released', attempt, untilMs: 0 }
    : { state: 'claimed', attempt, untilMs };
}

/** Extends the lease to `leaseMs` from now, or to `untilMs`; it never gets shorter. Throws `LeaseLost` when it is lost. */
export function renew(mailbox: Mailbox, to: { claim: Claim; leaseMs?: number; untilMs?: number }): Claim {
  const { claim, leaseMs = 0, untilMs = mailbox.host.clock.now() + leaseMs } = to;
  const longer = { ...claim, untilMs: Math.max(untilMs, claim.untilMs + 1) };
  const renewed = moveToClaim(mailbox, { path: claimPath(mailbox, claim), claim: longer });
  if (renewed) return { ...claim, untilMs: renewed.untilMs };
  throw leaseLost(mailbox, claim);
}

/** Ends the claim early, so that another may take it over. Throws `LeaseLost`. */
export function release(mailbox: Mailbox, claim: Claim): void {
  releaseAs(mailbox, claim, claim.attempt);
}

/** The same for a message that nobody has seen: no further attempt is counted. */
export function putBack(mailbox: Mailbox, claim: Claim): void {
  releaseAs(mailbox, claim, claim.attempt - 1);
}

function releaseAs(mailbox: Mailbox, claim: Claim, attempt: number): void {
  // It was claimed once at least.
  const released: ClaimName = { name: claim.name, attempt: Math.max(1, attempt), untilMs: 0 };
  if (!moveToClaim(mailbox, { path: claimPath(mailbox, claim), claim: released })) throw leaseLost(mailbox, claim);
}

/**
 * Keeps a claim whose message was shown in part only: its attempt becomes 0, by which readers to come know it. Claimed as often as
 * it may have been, it counts as claimed once. The lease stays. Throws `LeaseLost` when the claim is no longer this one.
 */
export function keepInPart(mailbox: Mailbox, claim: Claim): Claim {
  const kept = moveToClaim(mailbox, { path: claimPath(mailbox, claim), claim: { ...claim, attempt: 0 } });
  if (!kept) throw leaseLost(mailbox, claim);
  return { ...claim, ...kept };
}

/** The names of the messages that are kept so. */
export function namesInPart(mailbox: Mailbox): string[] {
  const claims = namesIn(mailbox.host.files, mailbox.layout.cur).map(parseClaimFileName);
  return claims.flatMap((claim) => (claim?.attempt === 0 && !isOpenToAll(mailbox, claim) ? [claim.name] : []));
}

/** Files the message under `done`. Throws `LeaseLost` when the claim is no longer this one; then nothing was changed. */
export function acknowledge(mailbox: Mailbox, claim: Claim): void {
  if (!moveToDone(mailbox, claimPath(mailbox, claim), claim.name)) throw leaseLost(mailbox, claim);
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
  if (!claimName) return undefined;
  const file = { path: claimPath(mailbox, claimName), name: claimName.name };
  const inspected = inspect(mailbox, file);
  if (inspected && 'message' in inspected) return { ...claimName, ...inspected };
  if (inspected) refuse(mailbox, { ...file, refusal: inspected.refusal });
  return undefined;
}

/**
 * What becomes of a file that was just claimed. It is looked at only now, under a name that nobody else moves: what lay
 * in `new` at an earlier look could be another file by the time of the rename. What cannot be decided is given back, so
 * that nobody has to wait for the lease to end.
 */
function settle(mailbox: Mailbox, own: ClaimName, from: Origin): Claim | undefined {
  try {
    const inspected = inspect(mailbox, { path: claimPath(mailbox, own), name: own.name });
    // The lease ended before it was looked at, and somebody took it over.
    if (!inspected) return undefined;
    if ('refusal' in inspected) {
      putAside(mailbox, own, { refusal: inspected.refusal, from });
      return undefined;
    }
    const claim: Claim = { ...own, ...inspected };
    return isDropped(mailbox, claim, from) ? undefined : heldUnlessSpent(mailbox, claim);
  } catch (error) {
    giveBack(mailbox, own, from);
    throw error;
  }
}

/** Puts aside what is not believed. Where it cannot be, it lies open to all, and this process leaves it to others. */
function putAside(mailbox: Mailbox, own: ClaimName, { refusal, from }: { refusal: Refusal; from: Origin }): void {
  if (refuse(mailbox, { path: claimPath(mailbox, own), name: own.name, refusal })) return;
  const back = giveBack(mailbox, own, from);
  if (back) mailbox.memory.unmovable.add(claimPath(mailbox, back));
}

/** It was never handed out, so it does not count as an attempt: a disk that is full for a while gives up no mail. */
function giveBack(mailbox: Mailbox, own: ClaimName, { isUnjudged }: Origin): ClaimName | undefined {
  try {
    // What was kept in part stays that, with a lease that has ended.
    const isInPart = isUnjudged && own.attempt === ATTEMPT_AFTER_PART;
    const claim = { ...own, attempt: isInPart ? 0 : own.attempt - 1, untilMs: isInPart ? 1 : 0 };
    return moveToClaim(mailbox, { path: claimPath(mailbox, own), claim });
  } catch {
    // Then it comes back when the lease ends.
    return undefined;
  }
}

/**
 * Whether another copy of the message is the one that counts, or it is too old to tell; then the holder drops its own
 * file, and never anybody else's. Looked at only after the rename. A copy with other signed bytes is kept as refused.
 *
 * Only what came from `new` yields to another claim: of two copies taken over at once, each would yield to the other. It
 * yields to every claim that somebody took over or that was put back, because those yield to none, and among first
 * claims to the one that ends first. So the last copy is never dropped.
 */
function isDropped(mailbox: Mailbox, claim: Claim, { isNew, isUnjudged }: Origin): boolean {
  const own = { path: claimPath(mailbox, claim), name: claim.name };
  for (const found of findBeyondNew(mailbox, claim.name)) {
    if (found.claim && !(isNew && counts(found.claim, claim))) continue;
    const compared = compareSigned(mailbox, { path: found.path, name: claim.name, signed: claim.signed });
    if (compared === 'equal') {
      removeQuietly(mailbox.host.files, own.path);
      mailbox.observe({ kind: 'duplicate', message: claim.message });
      return true;
    }
    if (compared === 'different') {
      const detail = `it has the id of another message that lies at ${found.path}`;
      refuse(mailbox, { ...own, refusal: { reason: 'duplicate-differs', detail } });
      return true;
    }
  }
  // After the look at `done`: the purge writes the day down before it deletes. What has been claimed before keeps its day
  // from being purged; attempt 0 is what was put back or given back, and nobody has judged it yet.
  const refusal = isUnjudged ? refusalOfPurged(mailbox, claim.message.id) : undefined;
  if (refusal) refuse(mailbox, { ...own, refusal });
  return refusal !== undefined;
}

function counts(other: ClaimName, own: ClaimName): boolean {
  return other.attempt !== 1 || other.untilMs < own.untilMs;
}

/** The claim, unless it was claimed too often or expired: then it is given up. */
function heldUnlessSpent(mailbox: Mailbox, claim: Claim): Claim | undefined {
  const { name, message, attempt } = claim;
  const { host, limits } = mailbox;
  let refusal: Refusal | undefined;
  // The room may allow more by now.
  if (attempt > limits.attemptsMax) mailbox.room.readAnew(message.from);
  if (attempt > limits.attemptsMax) {
    refusal = { reason: 'attempts', detail: `it was claimed ${attempt - 1} times and never acknowledged` };
  } else if (message.expiresAt !== undefined && Date.parse(message.expiresAt) <= host.clock.now()) {
    refusal = { reason: 'expired', detail: `it was to be read before ${message.expiresAt}` };
  }
  if (!refusal) return claim;
  giveUp(mailbox, { path: claimPath(mailbox, claim), name, message, refusal });
  return undefined;
}

function leaseLost(mailbox: Mailbox, claim: Claim): LeaseLost {
  return new LeaseLost(
    `The claim on ${claim.message.id} of ${mailbox.address} (attempt ${claim.attempt}) is no longer this holder's: it was taken over, released or acknowledged elsewhere.`,
    { hint: `See where it is: mailroom status ${claim.message.id.slice(-8)}` },
  );
}
