import { namesIn } from '../host/files.ts';
import { type ClaimName, parseMessageFileName } from '../message/layout.ts';
import type { Message } from '../message/message.ts';
import { type ClaimState, stateOfClaim } from './claim.ts';
import { listDead } from './dead.ts';
import { createEarlyTest, describeEarly, type EarlyMail, readableFromMs } from './early.ts';
import { readVerified } from './find.ts';
import type { Mailbox } from './mailbox.ts';
import { entriesOf, type MailboxEntry } from './entries.ts';

/** Where one message is in one mailbox. */
export interface MessageStatus {
  readonly recipient: string;
  readonly id: string;
  readonly from: string;
  readonly state: 'delivered' | 'claimed' | 'released' | 'acknowledged' | 'dead';
  readonly attempt?: number;
  /** End of the lease, in ms since the epoch; 0 if there is none. */
  readonly untilMs?: number;
  /** When early mail that nobody holds becomes readable, in ms since the epoch. */
  readonly readableFromMs?: number;
  /** Why it is a dead letter. */
  readonly reason?: string;
  readonly detail?: string;
  readonly path: string;
}

/**
 * Every message in the mailbox whose id ends with `idEnding`, in the order in which a message moves; without `history`,
 * only messages not handled yet.
 */
export function statusIn(
  mailbox: Mailbox,
  { idEnding, history }: { idEnding: string; history: boolean },
): MessageStatus[] {
  const { host, layout, address } = mailbox;
  const found: MessageStatus[] = [];
  const wanted = (name: string): { recipient: string; id: string; from: string } | undefined => {
    const named = parseMessageFileName(name);
    return named?.id.endsWith(idEnding) ? { recipient: address, ...named } : undefined;
  };
  const isEarly = createEarlyTest(mailbox);
  const timeOf = (name: string, id: string): { readableFromMs?: number } =>
    isEarly(name) ? { readableFromMs: readableFromMs(mailbox, id) } : {};
  for (const { name, path, claim } of entriesOf(mailbox, { mayLackNew: true })) {
    const named = wanted(name);
    if (!named) continue;
    const state = claim ? stateOfClaim(mailbox, claim) : ({ state: 'delivered' } as const);
    const time = state.state === 'claimed' ? {} : timeOf(name, named.id);
    found.push({ ...named, ...state, ...time, path });
  }
  if (!history) return found;
  for (const day of namesIn(host.files, layout.done)) {
    for (const name of namesIn(host.files, `${layout.done}/${day}`)) {
      const named = wanted(name);
      if (named) found.push({ ...named, state: 'acknowledged', path: `${layout.done}/${day}/${name}` });
    }
  }
  for (const letter of listDead(mailbox)) {
    const named = letter.verified ? wanted(letter.name) : undefined;
    if (named) found.push({ ...named, state: 'dead', reason: letter.reason, detail: letter.detail, path: letter.path });
  }
  return found;
}

/** A verified message in a mailbox that is not acknowledged yet. */
export interface Unsettled {
  readonly message: Message;
  readonly state: 'delivered' | ClaimState['state'];
  /** How often it was claimed; 0 if never. */
  readonly attempt: number;
  /** End of the lease, in ms since the epoch; 0 if there is none. */
  readonly untilMs: number;
}

export interface InboxListing {
  /** Oldest first. */
  readonly unsettled: readonly Unsettled[];
  /** Number of further messages that were not looked at. */
  readonly more: number;
  /** Number of files that the next reader to claim will put aside: not verifiable, or expired. */
  readonly unfit: number;
  /** Mail that waits until it is due; not among `unsettled`. */
  readonly early: readonly EarlyMail[];
}

/**
 * The messages in `new` and `cur`, verified, without claiming or moving anything; with `unread`, only those nobody
 * holds. One look; mail may move meanwhile.
 */
export function peek(mailbox: Mailbox, { limit, unread = false }: { limit: number; unread?: boolean }): InboxListing {
  const found = new Map<string, MailboxEntry>();
  let unfit = 0;
  // A message that was sent again and is in `new` too counts as the claimed one, which comes last.
  for (const entry of entriesOf(mailbox, { onForeign: () => (unfit += 1) })) found.set(entry.name, entry);
  if (unread) for (const [name, { claim }] of found) if (isHeld(mailbox, claim)) found.delete(name);
  const unsettled: Unsettled[] = [];
  const isEarly = createEarlyTest(mailbox);
  const waitsForItsTime = (name: string): boolean => isEarly(name) && !isHeld(mailbox, found.get(name)?.claim);
  const early = [...found.keys()].filter(waitsForItsTime);
  let looked = early.length;
  for (const name of [...found.keys()].filter((one) => !waitsForItsTime(one)).sort()) {
    const { path, claim } = found.get(name) ?? { path: name, claim: undefined };
    if (unsettled.length === limit) break;
    looked += 1;
    const read = readVerified(mailbox, { path, name });
    if (!read) continue;
    if ('refusal' in read || isExpired(mailbox, read.message)) unfit += 1;
    else unsettled.push({ message: read.message, ...stateOf(mailbox, claim) });
  }
  return { unsettled, more: found.size - looked, unfit, early: describeEarly(mailbox, early) };
}

function stateOf(mailbox: Mailbox, claim: ClaimName | undefined): Omit<Unsettled, 'message'> {
  return claim ? stateOfClaim(mailbox, claim) : { state: 'delivered', attempt: 0, untilMs: 0 };
}

function isHeld(mailbox: Mailbox, claim: ClaimName | undefined): boolean {
  return claim !== undefined && stateOfClaim(mailbox, claim).state === 'claimed';
}

function isExpired({ host }: Mailbox, { expiresAt }: Message): boolean {
  return expiresAt !== undefined && Date.parse(expiresAt) <= host.clock.now();
}
