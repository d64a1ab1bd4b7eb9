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
  /** The address of the mailbox. */
  readonly recipient: string;
  /** The full id of the message. */
  readonly id: string;
  /** The sender, as the file's name says: not verified. */
  readonly from: string;
  /** `released`: claimed before, and open to any reader again. `dead`: a dead letter. */
  readonly state: 'delivered' | 'claimed' | 'released' | 'acknowledged' | 'dead';
  /** How many times the message was claimed; only in the states `claimed` and `released`. */
  readonly attempt?: number;
  /** When the lease ends, in ms since the epoch; 0 without a lease. */
  readonly untilMs?: number;
  /** When a message dated in the future is handed out, in ms since the epoch. */
  readonly readableFromMs?: number;
  /** Why the message is a dead letter, in a stable short form. */
  readonly reason?: string;
  /** The same as a sentence: expected and got. */
  readonly detail?: string;
  /** The path of the message's file. */
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

/** A verified message of a mailbox that is not acknowledged yet. */
export interface Unsettled {
  /** The message itself. */
  readonly message: Message;
  /** `delivered`: never claimed. `claimed`: under a lease. `released`: claimed before, and open to any reader again. */
  readonly state: 'delivered' | ClaimState['state'];
  /** How many times the message was claimed. */
  readonly attempt: number;
  /** When the lease ends, in ms since the epoch; 0 without a lease. */
  readonly untilMs: number;
}

/** The messages of a mailbox that are not acknowledged, at one moment. */
export interface InboxListing {
  /** The messages that were verified, oldest first. */
  readonly unsettled: readonly Unsettled[];
  /** How many more messages there are beyond `limit`. */
  readonly more: number;
  /** Files that the next claim will set aside: expired, or not verifiable. */
  readonly unfit: number;
  /** Mail dated in the future, which is handed out when its time comes; not part of the other fields. */
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
