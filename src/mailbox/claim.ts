import { LeaseLost } from '../errors.ts';
import { parseClaimFileName, type ClaimName } from '../message/layout.ts';
import type { Refusal } from '../message/message.ts';
import { claimPath, moveToClaim, moveToDone } from './claim-path.ts';
import { giveUp, refuse } from './dead.ts';
import { type VerifiedMessage, compareSigned, findBeyondNew, readVerified } from './find.ts';
import type { Mailbox } from './mailbox.ts';
import { refusalOfPurged } from './purge.ts';
import { claimsIn } from './entries.ts';
import { type VerdictFacts, applyVerdict, judgeMail } from './judge.ts';

/** A verified message under a lease. The file name holds the whole state of the claim. */
export interface Claim extends ClaimName, VerifiedMessage {}

/**
 * Claims a message in `new`. Undefined if there is nothing to act on: another reader was first, the message was a
 * duplicate, or it was put aside as a dead letter.
 */
export function claimNew(mailbox: Mailbox, { name, leaseMs }: { name: string; leaseMs: number }): Claim | undefined {
  const untilMs = mailbox.host.clock.now() + leaseMs;
  const own = claimFile(mailbox, { path: `${mailbox.layout.new}/${name}`, claim: { name, attempt: 1, untilMs } });
  return own && settle(mailbox, own, { isNew: true, isUnjudged: true });
}

/** Takes over a claim that was released or whose lease has ended. Undefined as in `claimNew`. */
export function takeOver(mailbox: Mailbox, options: { claim: ClaimName; leaseMs: number }): Claim | undefined {
  const { claim: before, leaseMs } = options;
  const untilMs = mailbox.host.clock.now() + leaseMs;
  const own = claimFile(mailbox, {
    path: claimPath(mailbox, before),
    claim: { name: before.name, attempt: attemptAfter(before), untilMs },
  });
  return own && settle(mailbox, own, { isNew: false, isUnjudged: before.attempt === 0 });
}

/**
 * A message kept in part counts as claimed once. With attempt 1, it could get the name of a first claim that its reader
 * is about to drop.
 */
function attemptAfter({ attempt, untilMs }: ClaimName): number {
  return attempt === 0 && untilMs > 0 ? ATTEMPT_AFTER_PART : attempt + 1;
}

const ATTEMPT_AFTER_PART = 2;

/** Where a claim was taken from. */
interface Origin {
  /** From `new`. */
  readonly isNew: boolean;
  /** From `new`, or from attempt 0. */
  readonly isUnjudged: boolean;
}

function claimFile(mailbox: Mailbox, { path, claim }: { path: string; claim: ClaimName }): ClaimName | undefined {
  try {
    // At this rename the message is claimed; from here on only its holder may drop it.
    return moveToClaim(mailbox, { path, claim });
  } catch (error) {
    const { name } = claim;
    const read = readVerified(mailbox, { path, name });
    if (!read || 'message' in read) throw error;
    // Not a message, and it cannot even be moved: reported once, and skipped from then on.
    refuse(mailbox, { path, name, refusal: read.refusal });
    return undefined;
  }
}

/**
 * Whether anyone may take the claim over: it was released, its lease has ended, or it ends later than any lease can.
 */
export function isOpenToAll({ host, limits }: Mailbox, { untilMs }: ClaimName): boolean {
  return untilMs <= host.clock.now() || untilMs > host.clock.now() + limits.leaseMsMax;
}

export interface ClaimState {
  /** `released` includes an expired lease: anyone may take it over. */
  readonly state: 'claimed' | 'released';
  readonly attempt: number;
  /** End of the lease, in ms since the epoch; 0 if there is none. */
  readonly untilMs: number;
}

/** The state of a claim as any reader sees it now. */
export function stateOfClaim(mailbox: Mailbox, claim: ClaimName): ClaimState {
  const { attempt, untilMs } = claim;
  return isOpenToAll(mailbox, claim)
    ? { state: 'released', attempt, untilMs: 0 }
    : { state: 'claimed', attempt, untilMs };
}

/** Extends the lease to `leaseMs` from now, or to `untilMs`; it never gets shorter. Throws `LeaseLost`. */
export function renew(mailbox: Mailbox, to: { claim: Claim; leaseMs?: number; untilMs?: number }): Claim {
  const { claim, leaseMs = 0, untilMs = mailbox.host.clock.now() + leaseMs } = to;
  const longer = { ...claim, untilMs: Math.max(untilMs, claim.untilMs + 1) };
  const renewed = moveToClaim(mailbox, { path: claimPath(mailbox, claim), claim: longer });
  if (renewed) return { ...claim, untilMs: renewed.untilMs };
  throw leaseLost(mailbox, claim);
}

/** Ends the claim early, so that another reader can take it over. Throws `LeaseLost`. */
export function release(mailbox: Mailbox, claim: Claim): void {
  releaseAs(mailbox, claim, claim.attempt);
}

/** The same for a message that nobody has seen: no attempt is counted. */
export function putBack(mailbox: Mailbox, claim: Claim): void {
  releaseAs(mailbox, claim, claim.attempt - 1);
}

function releaseAs(mailbox: Mailbox, claim: Claim, attempt: number): void {
  // It was claimed at least once.
  const released: ClaimName = { name: claim.name, attempt: Math.max(1, attempt), untilMs: 0 };
  if (!moveToClaim(mailbox, { path: claimPath(mailbox, claim), claim: released })) throw leaseLost(mailbox, claim);
}

/**
 * Keeps a claim whose message was shown only in part: its attempt becomes 0, which later readers recognise. A message
 * claimed as often as allowed thereby counts as claimed once. The lease is unchanged. Throws `LeaseLost`.
 */
export function keepInPart(mailbox: Mailbox, claim: Claim): Claim {
  const kept = moveToClaim(mailbox, { path: claimPath(mailbox, claim), claim: { ...claim, attempt: 0 } });
  if (!kept) throw leaseLost(mailbox, claim);
  return { ...claim, ...kept };
}

/** The names of the messages that are kept in part. */
export function namesInPart(mailbox: Mailbox): string[] {
  return [...claimsIn(mailbox)].flatMap(({ claim }) =>
    claim.attempt === 0 && !isOpenToAll(mailbox, claim) ? [claim.name] : [],
  );
}

/** Moves the message to `done`. Throws `LeaseLost` if this claim was lost; then nothing has changed. */
export function acknowledge(mailbox: Mailbox, claim: Claim): void {
  if (!moveToDone(mailbox, claimPath(mailbox, claim), claim.name)) throw leaseLost(mailbox, claim);
}

/** Gives a claimed message up as a dead letter, with the holder's reason. Throws `LeaseLost`. */
export function reject(mailbox: Mailbox, { claim, detail }: { claim: Claim; detail: string }): void {
  const { name, message } = claim;
  const refusal: Refusal = { reason: 'rejected', detail };
  if (!giveUp(mailbox, { path: claimPath(mailbox, claim), name, message, refusal })) throw leaseLost(mailbox, claim);
}

/** The claim of this file in `cur`, verified again. Undefined if it is gone or no longer valid. */
export function openClaim(mailbox: Mailbox, fileName: string): Claim | undefined {
  const claimName = parseClaimFileName(fileName);
  if (!claimName) return undefined;
  const file = { path: claimPath(mailbox, claimName), name: claimName.name };
  const read = readVerified(mailbox, file);
  if (read && 'message' in read) return { ...claimName, ...read };
  if (read) refuse(mailbox, { ...file, refusal: read.refusal });
  return undefined;
}

/**
 * Decides about a file that was just claimed. The file is read only now, under a name that nobody else moves: a file
 * seen in `new` earlier could have been replaced by the time of the rename. If a decision is not possible, the message
 * is given back, so that nobody has to wait for the lease to end.
 */
function settle(mailbox: Mailbox, own: ClaimName, from: Origin): Claim | undefined {
  try {
    const read = readVerified(mailbox, { path: claimPath(mailbox, own), name: own.name });
    // The lease ended before the file was read, and another reader took it over.
    if (!read) return undefined;
    if ('refusal' in read) {
      putAside(mailbox, own, { refusal: read.refusal, from });
      return undefined;
    }
    const claim: Claim = { ...own, ...read };
    const file = { path: claimPath(mailbox, own), name: own.name, message: claim.message };
    return applyVerdict(mailbox, file, judgeMail(factsOf(mailbox, claim, from))) ? claim : undefined;
  } catch (error) {
    giveBack(mailbox, own, from);
    throw error;
  }
}

/**
 * Puts aside a file that is not valid. If that fails, the file is left open to all, and this process leaves it to
 * others.
 */
function putAside(mailbox: Mailbox, own: ClaimName, { refusal, from }: { refusal: Refusal; from: Origin }): void {
  if (refuse(mailbox, { path: claimPath(mailbox, own), name: own.name, refusal })) return;
  const back = giveBack(mailbox, own, from);
  if (back) mailbox.memory.unmovable.add(claimPath(mailbox, back));
}

/**
 * The message was never handed out, so this does not count as an attempt: a disk that is full for a while gives up no
 * mail.
 */
function giveBack(mailbox: Mailbox, own: ClaimName, { isUnjudged }: Origin): ClaimName | undefined {
  try {
    // A message kept in part stays so, with a lease that has ended.
    const isInPart = isUnjudged && own.attempt === ATTEMPT_AFTER_PART;
    const claim = { ...own, attempt: isInPart ? 0 : own.attempt - 1, untilMs: isInPart ? 1 : 0 };
    return moveToClaim(mailbox, { path: claimPath(mailbox, own), claim });
  } catch {
    // Then it comes back when the lease ends.
    return undefined;
  }
}

/**
 * What the verdict on a claimed message depends on. All of it is looked up only after the rename, because only then the
 * file is this reader's; a copy of another reader is never dropped. Of a message with other signed bytes this copy is
 * refused and kept.
 *
 * Only a claim taken from `new` yields to another claim: of two copies taken over at once, each would yield to the
 * other. It yields to every claim that was taken over or put back, because those yield to none, and among first claims
 * to the one that ends first. So the last copy is never dropped.
 */
function factsOf(mailbox: Mailbox, claim: Claim, { isNew, isUnjudged }: Origin): VerdictFacts {
  const { host, limits, room } = mailbox;
  const { name, signed, attempt, message } = claim;
  function* copies(): VerdictFacts['copies'] {
    for (const { path, claim: other } of findBeyondNew(mailbox, name)) {
      if (!other || (isNew && counts(other, claim))) {
        yield { path, compared: compareSigned(mailbox, { path, name, signed }) };
      }
    }
  }
  return {
    copies: copies(),
    // After the look at `done`: a purge records the day before it deletes. A message claimed before keeps its day from
    // being purged; attempt 0 was put back or given back, and nobody has judged it yet.
    purged: () => (isUnjudged ? refusalOfPurged(mailbox, message.id) : undefined),
    spent: () => {
      // The room may allow more attempts by now.
      if (attempt > limits.attemptsMax) room.reread(message.from);
      if (attempt <= limits.attemptsMax) return undefined;
      return { reason: 'attempts', detail: `it was claimed ${attempt - 1} times and never acknowledged` };
    },
    expiresAt: message.expiresAt,
    now: () => host.clock.now(),
  };
}

function counts(other: ClaimName, own: ClaimName): boolean {
  return other.attempt !== 1 || other.untilMs < own.untilMs;
}

function leaseLost(mailbox: Mailbox, claim: Claim): LeaseLost {
  return new LeaseLost(
    `The claim on ${claim.message.id} of ${mailbox.address} (attempt ${claim.attempt}) is no longer this holder's: it was taken over, released or acknowledged elsewhere.`,
    { hint: `See where it is: mailroom status ${claim.message.id.slice(-8)}` },
  );
}
