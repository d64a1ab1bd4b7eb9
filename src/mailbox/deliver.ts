import { dirname } from 'node:path';
import { MailboxFull, MailroomError, MessageDeliveryError, MessageRefused } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { removeQuietly, syncFile } from '../host/files.ts';
import { withFields } from '../host/with-fields.ts';
import { senderInName } from '../message/layout.ts';
import { dayOfId } from '../message/message-id.ts';
import type { SealedMessage } from '../signing/seal.ts';
import { compareSigned, findBeyondNew } from './find.ts';
import { conflictOf, linkIntoNew, stageMessage } from './link.ts';
import type { Durability, Fullness, Mailbox } from './mailbox.ts';
import { purgedThrough } from './purge.ts';
import type { Slot } from './send-order.ts';

/** What happened to a message at one recipient. */
export type DeliveryOutcome =
  /** The message is in the recipient's mailbox. */
  | {
      readonly outcome: 'delivered';
      /** An earlier try with the same id had already delivered it. */
      readonly again: boolean;
    }
  /** `failed`: the message did not arrive. `unknown`: it may have arrived. */
  | {
      readonly outcome: 'failed' | 'unknown';
      /** Why, such as a `MailboxFull` or `MessageDeliveryError`. */
      readonly error: MailroomError;
    };

export interface DeliveryOptions {
  readonly durability: Durability;
  /** The caller gave the id, so an earlier attempt may have delivered the message. */
  readonly repeat: boolean;
  /** When to link: the messages of one sender are linked in the order in which they were sent. */
  readonly slot: Slot;
}

const RESTAGE_TRIES_MAX = 3;

/**
 * Delivers one message to any number of mailboxes: written once, linked into each. Never throws for a recipient;
 * returns an outcome for each, in the order given. With `power` durability, a delivered message survives a power loss.
 */
export async function deliver(
  mailboxes: readonly Mailbox[],
  sealed: SealedMessage,
  options: DeliveryOptions,
): Promise<DeliveryOutcome[]> {
  const outcomes = mailboxes.map((mailbox) => refuseEarly(mailbox, sealed, options));
  const staged: Staged[] = [];
  const linking = withFields(options, { staged });
  for (const [index, mailbox] of mailboxes.entries()) {
    // Only the first recipient waits: for the file to be written, and for its slot.
    outcomes[index] ??= linkStaged(mailbox, sealed, staged.at(-1)) ?? (await attempt(mailbox, sealed, linking));
  }
  options.slot.done(outcomes.every((one) => one?.outcome === 'delivered'));
  if (options.durability === 'power') await syncDelivered(mailboxes, sealed, outcomes);
  for (const { mailbox, path } of staged) removeQuietly(mailbox.host.files, path);
  return outcomes.map((outcome) => outcome ?? unreachable());
}

/** A copy of the message in some mailbox's `tmp`, to link from. */
interface Staged {
  readonly mailbox: Mailbox;
  readonly path: string;
  /** Number of names the file has: this one, and one in `new` of each mailbox it was linked into. */
  names: number;
}

/** Links the copy staged for an earlier recipient. Undefined if there is none or it must be staged again. */
function linkStaged(mailbox: Mailbox, sealed: SealedMessage, source: Staged | undefined): DeliveryOutcome | undefined {
  if (!source) return undefined;
  try {
    const linked = linkIntoNew(mailbox, { staged: source.path, names: source.names, sealed });
    if (linked === 'staged-gone' || linked === 'cannot-link') return undefined;
    return delivered(mailbox, sealed, { source, linked });
  } catch (error) {
    return notDelivered(mailbox, sealed, error);
  }
}

function delivered(
  mailbox: Mailbox,
  { message }: SealedMessage,
  { source, linked }: { source: Staged; linked: 'delivered' | 'delivered-before' },
): DeliveryOutcome {
  if (linked === 'delivered-before') return { outcome: 'delivered', again: true };
  source.names += 1;
  countDelivered(mailbox, message.from);
  return { outcome: 'delivered', again: false };
}

async function linkOne(
  mailbox: Mailbox,
  sealed: SealedMessage,
  { staged, durability, slot }: DeliveryOptions & { staged: Staged[] },
): Promise<DeliveryOutcome> {
  const { bytes } = sealed;
  for (let tries = 1; ; tries++) {
    let source = staged.at(-1);
    if (!source) {
      source = { mailbox, path: await stageMessage(mailbox, { bytes, durability }), names: 1 };
      staged.push(source);
    }
    if (slot.ready) await slot.ready;
    // The last check: what this process wrote must not end up in a room that has replaced the opened one.
    mailbox.room.assertSame();
    const linked = linkIntoNew(mailbox, { staged: source.path, names: source.names, sealed });
    if (linked === 'delivered' || linked === 'delivered-before') return delivered(mailbox, sealed, { source, linked });
    if (linked === 'staged-gone') {
      staged.pop();
      if (tries < RESTAGE_TRIES_MAX) continue;
      throw new Error(`the staged file ${source.path} was removed before it could be linked, ${tries} times`);
    }
    if (source.mailbox === mailbox) throw new Error('this file system cannot make hard links (see: mailroom doctor)');
    // Another file system, or too many links to one file: this mailbox gets a copy of its own.
    staged.push({ mailbox, path: await stageMessage(mailbox, { bytes, durability }), names: 1 });
  }
}

/** Decides the outcome, if possible, before anything is written. */
function refuseEarly(
  mailbox: Mailbox,
  sealed: SealedMessage,
  { repeat }: DeliveryOptions,
): DeliveryOutcome | undefined {
  let isKnownAbsent = !repeat;
  try {
    if (repeat) {
      const before = deliveredBefore(mailbox, sealed);
      if (before) return before;
      isKnownAbsent = true;
    }
    assertNotFull(mailbox, sealed.message.from);
    return undefined;
  } catch (error) {
    // If the lookup failed, an earlier attempt may have delivered the message.
    const outcome = isKnownAbsent || error instanceof MailroomError ? 'failed' : 'unknown';
    return { outcome, error: asDeliveryError(mailbox, sealed, error, outcome) };
  }
}

function assertNotFull(mailbox: Mailbox, sender: string): void {
  const share = shareOf(mailbox, sender);
  if (!isFullFor(share)) return;
  const { own, waiting, free } = share;
  throw new MailboxFull(
    `The mailbox of ${mailbox.address} is full for ${sender} ` +
      `(messages waiting: ${waiting}, from ${sender}: ${own}, free places: ${Math.max(0, free)} of ${mailbox.limits.newMessagesMax}).`,
    { hint: `Wait until ${mailbox.address} has read some, then repeat the send.` },
  );
}

/**
 * Looks for a message delivered by an earlier attempt, in the order in which a message moves, so that a full mailbox or
 * disk does not turn it into a failure. Throws `Conflict` if its id belongs to another message, `MessageRefused` if the
 * message would have been purged.
 */
export function deliveredBefore(mailbox: Mailbox, sealed: SealedMessage): DeliveryOutcome | undefined {
  const { name, signed, message } = sealed;
  const day = dayOfId(message.id);
  const purged = purgedThrough(mailbox);
  if (purged !== undefined && day <= purged) {
    throw new MessageRefused(`${mailbox.address} has purged everything up to ${purged}; the id is from ${day}.`, {
      reason: 'purged',
      hint: 'If it was not delivered then, send it again without --id.',
    });
  }
  const compare = (path: string): DeliveryOutcome | undefined => {
    const compared = compareSigned(mailbox, { path, name, signed });
    if (compared === 'different') throw conflictOf(mailbox, sealed);
    return compared === 'equal' ? { outcome: 'delivered', again: true } : undefined;
  };
  const inNew = compare(`${mailbox.layout.new}/${name}`);
  if (inNew) return inNew;
  for (const { path } of findBeyondNew(mailbox, name)) {
    const beyond = compare(path);
    if (beyond) return beyond;
  }
  return undefined;
}

async function attempt(
  mailbox: Mailbox,
  sealed: SealedMessage,
  linking: DeliveryOptions & { staged: Staged[] },
): Promise<DeliveryOutcome> {
  try {
    return await linkOne(mailbox, sealed, linking);
  } catch (error) {
    return notDelivered(mailbox, sealed, error);
  }
}

function notDelivered(mailbox: Mailbox, sealed: SealedMessage, error: unknown): DeliveryOutcome {
  const outcome = error instanceof MessageDeliveryError ? error.outcome : 'failed';
  return { outcome, error: asDeliveryError(mailbox, sealed, error, outcome) };
}

/**
 * The link made the message visible; whether it survives a power loss is known only once the directory is synced too.
 */
async function syncDelivered(
  mailboxes: readonly Mailbox[],
  sealed: SealedMessage,
  outcomes: (DeliveryOutcome | undefined)[],
): Promise<void> {
  await Promise.all(
    mailboxes.map(async (mailbox, index) => {
      const outcome = outcomes[index];
      if (outcome?.outcome !== 'delivered') return;
      try {
        if (outcome.again) await syncEarlier(mailbox, sealed);
        else await mailbox.sharedSync.directory(mailbox.layout.new);
      } catch (error) {
        outcomes[index] = { outcome: 'unknown', error: asDeliveryError(mailbox, sealed, error, 'unknown') };
      }
    }),
  );
}

/** An earlier attempt may not have synced, or was killed before it could; its file may have moved since. */
async function syncEarlier(mailbox: Mailbox, { name }: SealedMessage): Promise<void> {
  for (let look = 1; look <= SYNC_LOOKS_MAX; look++) {
    const beyond = findBeyondNew(mailbox, name).map(({ path }) => path);
    let found = false;
    for (const path of [`${mailbox.layout.new}/${name}`, ...beyond]) {
      if (!(await syncFile(mailbox.host.files, path))) continue;
      await mailbox.sharedSync.directory(dirname(path));
      found = true;
    }
    if (found) return;
  }
  throw new Error('it was delivered before, and kept moving while it was being synced');
}

const SYNC_LOOKS_MAX = 8;

function unreachable(): never {
  throw new Error('A recipient was left without an outcome.');
}

/** The error in a recipient's outcome: Mailroom's own as it is, any other with its reason and how to retry. */
function asDeliveryError(
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
    { cause, id: sealed.message.id, outcome, hint: `Retrying with the same id is safe: --id ${sealed.message.id}` },
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

const COUNT_EVERY_MS = 1_000;

/** What one sender has waiting in a mailbox, and the places that are free there for everyone. */
export interface Share {
  readonly own: number;
  readonly waiting: number;
  readonly free: number;
}

/**
 * The share of a sender. Counted at most once a second, so the limit is soft: deliveries by other processes within that
 * second are not seen.
 */
export function shareOf(mailbox: Mailbox, sender: string): Share {
  const { memory, host, limits } = mailbox;
  const now = host.clock.now();
  let known = memory.fullness;
  if (!known || now - known.countedAtMs >= COUNT_EVERY_MS || now < known.countedAtMs) {
    known = { countedAtMs: now, ...countWaiting(mailbox) };
    memory.fullness = known;
  }
  const { count, bySender } = known;
  return { own: bySender.get(sender) ?? 0, waiting: count, free: limits.newMessagesMax - count };
}

/**
 * Whether the mailbox is full for this sender: as many of its messages wait as there are free places. So one sender
 * fills at most half of a mailbox, and each further one at most half of what is left.
 */
export function isFullFor({ own, free }: Share): boolean {
  return own >= free;
}

/** Counts what this process itself delivered. */
function countDelivered({ memory: { fullness } }: Mailbox, sender: string): void {
  if (!fullness) return;
  fullness.count += 1;
  fullness.bySender.set(sender, (fullness.bySender.get(sender) ?? 0) + 1);
}

/** Counts by listing `new`. */
export function countWaiting({ host, layout }: Mailbox): Fullness {
  const names = host.files.readdir(layout.new);
  const bySender = new Map<string, number>();
  for (const name of names) {
    const sender = senderInName(name);
    bySender.set(sender, (bySender.get(sender) ?? 0) + 1);
  }
  return { count: names.length, bySender };
}
