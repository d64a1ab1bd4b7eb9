import { parseClaimFileName, parseMessageFileName, type ClaimName } from '../message/layout.ts';
import { claimNew, isOpenToAll, takeOver, type Claim } from './claim.ts';
import { refuse } from './dead.ts';
import type { Mailbox } from './mailbox.ts';

const ROUND_PER_SENDER_MAX = 30;

/** What waits to be claimed, found by one listing. */
export interface Waiting {
  /** Message names in `new`, oldest first. */
  readonly arrived: readonly string[];
  /** Claims in `cur` that anybody may take over, oldest first. */
  readonly open: readonly ClaimName[];
  /** Names in `new` that are no message's. */
  readonly foreign: readonly string[];
}

export function listWaiting(mailbox: Mailbox): Waiting {
  const { layout, host, memory } = mailbox;
  const arrived: string[] = [];
  const foreign: string[] = [];
  for (const name of host.files.readdir(layout.new)) {
    if (memory.unmovable.size > 0 && memory.unmovable.has(`${layout.new}/${name}`)) continue;
    (parseMessageFileName(name) ? arrived : foreign).push(name);
  }
  const open: ClaimName[] = [];
  for (const fileName of host.files.readdir(layout.cur)) {
    const claim = parseClaimFileName(fileName);
    if (claim && isOpenToAll(mailbox, claim)) open.push(claim);
  }
  return { arrived: arrived.sort(), open: open.sort((a, b) => (a.name < b.name ? -1 : 1)), foreign };
}

/**
 * Claims what waits, one message a step, until a listing finds nothing more. The mailbox is listed once, drained in
 * order, and listed again; within a listing each sender gets at most 30 turns a round, so that a flood from one does not
 * hold up the others. What cannot be claimed because a system call fails is passed over; the error is thrown only when
 * nothing at all could be claimed.
 */
export function* drain(mailbox: Mailbox, { leaseMs }: { leaseMs: number }): Generator<Claim, void, void> {
  const passedOver = new Set<string>();
  let firstError: unknown;
  let claimed = 0;
  const attempt = (name: string, claim: () => Claim | undefined): Claim | undefined => {
    try {
      return claim();
    } catch (error) {
      firstError ??= error;
      passedOver.add(name);
      return undefined;
    }
  };
  for (;;) {
    const waiting = listWaiting(mailbox);
    for (const name of waiting.foreign) {
      const refusal = { reason: 'bad-name', detail: 'the file name is not <id>.<sender>.json' } as const;
      refuse(mailbox, { path: `${mailbox.layout.new}/${name}`, name, refusal });
    }
    for (const open of waiting.open) {
      const claim = attempt(open.name, () => takeOver(mailbox, { claim: open, leaseMs }));
      if (claim) claimed += 1;
      if (claim) yield claim;
    }
    const arrived = waiting.arrived.filter((name) => !passedOver.has(name));
    for (const name of inRounds(arrived, ROUND_PER_SENDER_MAX)) {
      const claim = attempt(name, () => claimNew(mailbox, { name, leaseMs }));
      if (claim) claimed += 1;
      if (claim) yield claim;
    }
    if (arrived.length > 0) continue;
    if (firstError !== undefined && claimed === 0) throw firstError;
    return;
  }
}

/** The names in order, but never more than `perSenderMax` of one sender before every other sender had its turn. */
export function inRounds(names: readonly string[], perSenderMax: number): string[] {
  const bySender = new Map<string, string[]>();
  for (const name of names) {
    const sender = parseMessageFileName(name)?.from ?? '';
    const own = bySender.get(sender);
    if (own) own.push(name);
    else bySender.set(sender, [name]);
  }
  if (bySender.size <= 1) return [...names];
  const ordered: string[] = [];
  for (let round = 0; ordered.length < names.length; round++) {
    const slices = [...bySender.values()].flatMap((own) => own.slice(round * perSenderMax, (round + 1) * perSenderMax));
    ordered.push(...slices.sort());
  }
  return ordered;
}
