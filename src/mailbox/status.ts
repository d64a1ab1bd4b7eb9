import { namesIn } from '../host/files.ts';
import { type ClaimName, parseClaimFileName, parseMessageFileName } from '../message/layout.ts';
import type { Message } from '../message/message.ts';
import { type ClaimState, stateOfClaim } from './claim.ts';
import { listDead } from './dead.ts';
import { createEarlyTest, describeEarly, type EarlyMail, readableFromMs } from './early.ts';
import { inspect } from './find.ts';
import type { Mailbox } from './mailbox.ts';

/** Where one message lies in one mailbox. */
export interface MessageStatus {
  readonly recipient: string;
  readonly id: string;
  readonly from: string;
  readonly state: 'delivered' | 'claimed' | 'released' | 'acknowledged' | 'dead';
  readonly attempt?: number;
  /** End of the lease, ms since the epoch; 0 when there is none. */
  readonly untilMs?: number;
  /** Of early mail that nobody holds: when it is handed out, in ms since the epoch. */
  readonly readableFromMs?: number;
  /** Why it is dead. */
  readonly reason?: string;
  readonly detail?: string;
  readonly path: string;
}

/**
 * Every message in the mailbox whose id ends with `idEnding`, looked for along the way a message goes; without `history`
 * only what was not dealt with yet.
 */
export function statusIn(
  mailbox: Mailbox,
  { idEnding, history }: { idEnding: string; history: boolean },
): MessageStatus[] {
  const { host, layout, address } = mailbox;
  const found: MessageStatus[] = [];
  const wanted = (name: string | undefined): { recipient: string; id: string; from: string } | undefined => {
    const named = name === undefined ? undefined : parseMessageFileName(name);
    return named?.id.endsWith(idEnding) ? { recipient: address, ...named } : undefined;
  };
  const isEarly = createEarlyTest(mailbox);
  const timeOf = (name: string, id: string): { readableFromMs?: number } =>
    isEarly(name) ? { readableFromMs: readableFromMs(mailbox, id) } : {};
  for (const name of namesIn(host.files, layout.new)) {
    const named = wanted(name);
    if (named) found.push({ ...named, state: 'delivered', ...timeOf(name, named.id), path: `${layout.new}/${name}` });
  }
  for (const fileName of namesIn(host.files, layout.cur)) {
    const claim = parseClaimFileName(fileName);
    const named = wanted(claim?.name);
    if (!claim || !named) continue;
    const lies = stateOfClaim(mailbox, claim);
    const time = lies.state === 'released' ? timeOf(claim.name, named.id) : {};
    found.push({ ...named, ...lies, ...time, path: `${layout.cur}/${fileName}` });
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

/** A verified message that lies in a mailbox and was not acknowledged yet. */
export interface Unsettled {
  readonly message: Message;
  readonly state: 'delivered' | ClaimState['state'];
  /** How often it was claimed; 0 for never. */
  readonly attempt: number;
  /** End of the lease, ms since the epoch; 0 when there is none. */
  readonly untilMs: number;
}

export interface Peeked {
  /** Oldest first. */
  readonly unsettled: readonly Unsettled[];
  /** Further messages, not looked at. */
  readonly more: number;
  /** Files that whoever claims next will put aside: not verifiable, or expired. */
  readonly unfit: number;
  /** What waits for its time; none of it is among the others. */
  readonly early: readonly EarlyMail[];
}

/**
 * What lies in `new` and `cur`, verified, without claiming or moving anything; with `unread` only what nobody holds. One look;
 * mail may move meanwhile.
 */
export function peek(mailbox: Mailbox, { limit, unread = false }: { limit: number; unread?: boolean }): Peeked {
  const { host, layout } = mailbox;
  const found = new Map<string, { path: string; claim: ClaimName | undefined }>();
  let unfit = 0;
  for (const name of host.files.readdir(layout.new)) {
    if (parseMessageFileName(name)) found.set(name, { path: `${layout.new}/${name}`, claim: undefined });
    else unfit += 1;
  }
  // A message that was sent again and lies in `new` too is the one that was claimed.
  for (const fileName of namesIn(host.files, layout.cur)) {
    const claim = parseClaimFileName(fileName);
    if (claim) found.set(claim.name, { path: `${layout.cur}/${fileName}`, claim });
  }
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
    const inspected = inspect(mailbox, { path, name });
    if (!inspected) continue;
    if ('refusal' in inspected || isExpired(mailbox, inspected.message)) unfit += 1;
    else unsettled.push({ message: inspected.message, ...stateOf(mailbox, claim) });
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
