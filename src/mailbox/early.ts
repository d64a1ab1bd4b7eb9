import { namesIn } from '../host/files.ts';
import { parseClaimFileName, parseMessageFileName } from '../message/layout.ts';
import { idPrefixOf, timeOfId } from '../message/message-id.ts';
import { isOpenToAll } from './claim.ts';
import type { Mailbox } from './mailbox.ts';

/**
 * Early mail: the time in its id is more than `clockSkewMsMax` ahead of the clock of this machine. One of the clocks is or
 * was wrong, and that passes. So early mail is left where it lies, in `new` or in `cur`: it is claimed by nobody, wakes nobody
 * and is not counted as unread, until the clock agrees. The name alone says so, and the file is not opened to find out.
 */
export interface EarlyMail {
  readonly id: string;
  readonly from: string;
  /** When it is handed out, by the clock of this machine; ms since the epoch. */
  readonly readableFromMs: number;
}

/** Tells of message names whether they are of early mail, by the clock of this moment: one question for a whole listing. */
export function createEarlyTest({ host, limits }: Pick<Mailbox, 'host' | 'limits'>): (name: string) => boolean {
  // The dot sorts behind the hyphen that follows in every id of that very ms.
  const bound = `${idPrefixOf(host.clock.now() + limits.clockSkewMsMax)}.`;
  return (name) => name > bound;
}

/** When a message with this id is handed out; ms since the epoch. */
export function readableFromMs({ limits }: Pick<Mailbox, 'limits'>, id: string): number {
  return timeOfId(id) - limits.clockSkewMsMax;
}

/** The early mail of a mailbox, the first to be handed out first; what is held by somebody was handed out already. */
export function listEarly(mailbox: Mailbox): EarlyMail[] {
  const { host, layout } = mailbox;
  const isEarly = createEarlyTest(mailbox);
  const names = new Set(namesIn(host.files, layout.new).filter(isEarly));
  for (const fileName of namesIn(host.files, layout.cur).filter(isEarly)) {
    const claim = parseClaimFileName(fileName);
    if (!claim) continue;
    if (isOpenToAll(mailbox, claim)) names.add(claim.name);
    else names.delete(claim.name);
  }
  return describeEarly(mailbox, [...names]);
}

/** The same of names that are known to be early. */
export function describeEarly(mailbox: Mailbox, names: readonly string[]): EarlyMail[] {
  return names.toSorted().flatMap((name) => {
    const named = parseMessageFileName(name);
    return named ? [{ ...named, readableFromMs: readableFromMs(mailbox, named.id) }] : [];
  });
}

/** How many messages in `new` could be read now. */
export function countUnread(mailbox: Mailbox): number {
  const isEarly = createEarlyTest(mailbox);
  const names = mailbox.host.files.readdir(mailbox.layout.new);
  return names.filter((name) => parseMessageFileName(name) && !isEarly(name)).length;
}
