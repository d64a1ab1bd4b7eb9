import { parseMessageFileName } from '../message/layout.ts';
import { idPrefixOf, timeOfId } from '../message/message-id.ts';
import { isOpenToAll } from './claim.ts';
import type { Mailbox } from './mailbox.ts';
import { entriesOf } from './entries.ts';

/**
 * Early mail: the time in its id is more than `clockSkewMsMax` ahead of this machine's clock. One of the clocks is or
 * was wrong, which passes. So early mail is left where it is, in `new` or `cur`, until the clock catches up: nobody
 * claims it, it wakes nobody, and it does not count as unread. The name alone tells, so the file is not opened.
 */
export interface EarlyMail {
  readonly id: string;
  readonly from: string;
  /** When it becomes readable by this machine's clock, in ms since the epoch. */
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
