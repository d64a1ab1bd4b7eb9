import { parseMessageFileName } from '../message/layout.ts';
import { idPrefixOf, timeOfId } from '../message/message-id.ts';
import { isOpenToAll } from './claim.ts';
import type { Mailbox } from './mailbox.ts';
import { entriesOf } from './entries.ts';

/**
 * A message dated more than `clockSkewMsMax` ahead of this machine's clock, because one of the two clocks is or was wrong. It
 * stays in `new` or `cur`: nobody claims it, it wakes nobody and does not count as unread, until its time comes. The file's
 * name alone tells, so the file is not opened.
 */
export interface EarlyMail {
  /** The id of the message. */
  readonly id: string;
  /** The sender, as the file's name says: not verified. */
  readonly from: string;
  /** When the message is handed out, in ms since the epoch by the clock of this machine. */
  readonly readableFromMs: number;
}

/**
 * Returns a test of whether a message name is of early mail, by the clock at this moment: one call for a whole listing.
 */
export function createEarlyTest({ host, limits }: Pick<Mailbox, 'host' | 'limits'>): (name: string) => boolean {
  // The dot sorts behind the hyphen that follows in every id of that very ms.
  const bound = `${idPrefixOf(host.clock.now() + limits.clockSkewMsMax)}.`;
  return (name) => name > bound;
}

/** When a message with this id becomes readable, in ms since the epoch. */
export function readableFromMs({ limits }: Pick<Mailbox, 'limits'>, id: string): number {
  return timeOfId(id) - limits.clockSkewMsMax;
}

/**
 * The early mail of a mailbox, in the order in which it becomes readable. Held messages are left out: they were
 * readable already.
 */
export function listEarly(mailbox: Mailbox): EarlyMail[] {
  const isEarly = createEarlyTest(mailbox);
  const names = new Set<string>();
  for (const { name, claim } of entriesOf(mailbox, { mayLackNew: true })) {
    if (!isEarly(name)) continue;
    if (claim && !isOpenToAll(mailbox, claim)) names.delete(name);
    else names.add(name);
  }
  return describeEarly(mailbox, [...names]);
}

/** The same for names that are known to be early. */
export function describeEarly(mailbox: Mailbox, names: readonly string[]): EarlyMail[] {
  return names.toSorted().flatMap((name) => {
    const named = parseMessageFileName(name);
    return named ? [{ ...named, readableFromMs: readableFromMs(mailbox, named.id) }] : [];
  });
}

/** Number of messages in `new` that could be read now. */
export function countUnread(mailbox: Mailbox): number {
  const isEarly = createEarlyTest(mailbox);
  const names = mailbox.host.files.readdir(mailbox.layout.new);
  return names.filter((name) => parseMessageFileName(name) && !isEarly(name)).length;
}
