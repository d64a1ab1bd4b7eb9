import { parseMessageFileName, type ClaimName } from '../message/layout.ts';
import { claimPath } from './claim-path.ts';
import { claimNew, isOpenToAll, takeOver, type Claim } from './claim.ts';
import { refuse } from './dead.ts';
import { createEarlyTest } from './early.ts';
import type { Mailbox } from './mailbox.ts';
import { entriesOf } from './entries.ts';

const ROUND_PER_SENDER_MAX = 30;
/** Relist after this long, so that new mail and expired leases are not stuck behind a long listing. */
const LISTING_AGE_MS_MAX = 1_000;

/** Mail that can be claimed now, found by one listing. Early mail is left out until it is due. */
export interface ClaimableMail {
  /** Message names in `new`. */
  readonly arrived: readonly string[];
  /** Claims in `cur` that anyone may take over, at most one a message; none of a message that somebody holds. */
  readonly open: readonly ClaimName[];
  /** Names in `new` that are not message names. */
  readonly foreign: readonly string[];
}

export function listClaimable(mailbox: Mailbox): ClaimableMail {
  const { layout, memory } = mailbox;
  mailbox.room.assertSame();
  const arrived: string[] = [];
  const foreign: string[] = [];
  const open = new Map<string, ClaimName>();
  const held = new Set<string>();
  const isEarly = createEarlyTest(mailbox);
  const isUnmovable = (path: string): boolean => memory.unmovable.size > 0 && memory.unmovable.has(path);
  const putAside = (name: string): void => void (isUnmovable(`${layout.new}/${name}`) || foreign.push(name));
  for (const { name, path, claim } of entriesOf(mailbox, { onForeign: putAside })) {
    if (isUnmovable(path)) continue;
    if (claim && !isOpenToAll(mailbox, claim)) held.add(name);
    else if (isEarly(name)) continue;
    else if (claim) open.set(name, claim);
    else arrived.push(name);
  }
  // A second copy waits until the held one is handled, and is then dropped.
  return { arrived, open: [...open.values()].filter(({ name }) => !held.has(name)), foreign };
}

/** Puts aside what is not a message in `new`. */
export function refuseForeign(mailbox: Mailbox, { foreign }: Pick<ClaimableMail, 'foreign'>): void {
  const refusal = { reason: 'bad-name', detail: 'the file name is not <id>.<sender>.json' } as const;
  for (const name of foreign) refuse(mailbox, { path: `${mailbox.layout.new}/${name}`, name, refusal });
}

export interface DrainOptions {
  readonly leaseMs: number;
  /** Asked before a message is claimed. False ends the drain, and the message stays as it is. */
  readonly wants?: ((file: { readonly path: string; readonly name: string }) => boolean) | undefined;
  /** Called for each message that is passed over, with the reason. */
  readonly passedOver?: ((name: string, error: unknown) => void) | undefined;
}

/**
 * Claims waiting mail, one message a step, until a listing finds nothing more. The mailbox is listed once, drained in
 * order, and listed again. Within a listing each sender gets at most 30 messages a round, so that a flood from one
 * sender does not hold up the others. A message that cannot be claimed because a system call fails is passed over; the
 * error is thrown only if nothing at all could be claimed.
 */
export function* drain(mailbox: Mailbox, options: DrainOptions): Generator<Claim, void, void> {
  const { leaseMs, wants = () => true } = options;
  const { clock } = mailbox.host;
  const passedOver = new Set<string>();
  let firstError: unknown;
  let claimed = 0;
  for (;;) {
    const listedAtMs = clock.now();
    const waiting = listClaimable(mailbox);
    refuseForeign(mailbox, waiting);
    const open = new Map(waiting.open.map((claim) => [claim.name, claim]));
    const arrived = waiting.arrived.filter((name) => !passedOver.has(name));
    const names = new Set([...open.keys(), ...arrived].sort());
    let isOld = false;
    for (const round of roundsOf([...names], ROUND_PER_SENDER_MAX)) {
      for (const name of round) {
        if (passedOver.has(name)) continue;
        const before = open.get(name);
        let claim: Claim | undefined;
        try {
          const path = before ? claimPath(mailbox, before) : `${mailbox.layout.new}/${name}`;
          if (!wants({ path, name })) return;
          claim = before ? takeOver(mailbox, { claim: before, leaseMs }) : claimNew(mailbox, { name, leaseMs });
        } catch (error) {
          firstError ??= error;
          passedOver.add(name);
          options.passedOver?.(name, error);
        }
        if (claim) {
          claimed += 1;
          yield claim;
        } else if (mailbox.memory.unmovable.has(`${mailbox.layout.new}/${name}`)) {
          passedOver.add(name);
        }
      }
      // Only between rounds: within one, the sender with the oldest mail would start over again and again.
      isOld = Math.abs(clock.now() - listedAtMs) >= LISTING_AGE_MS_MAX;
      if (isOld) break;
    }
    if (arrived.length > 0 || isOld) continue;
    if (firstError !== undefined && claimed === 0) throw firstError;
    return;
  }
}

/** The names in order, but never more than `perSenderMax` of one sender before every other sender has had a round. */
export function inRounds(names: readonly string[], perSenderMax: number): string[] {
  return roundsOf(names, perSenderMax).flat();
}

function roundsOf(names: readonly string[], perSenderMax: number): string[][] {
  const bySender = new Map<string, string[]>();
  for (const name of names) {
    const sender = parseMessageFileName(name)?.from ?? '';
    const own = bySender.get(sender);
    if (own) own.push(name);
    else bySender.set(sender, [name]);
  }
  const rounds: string[][] = [];
  for (let round = 0, ordered = 0; ordered < names.length; round++) {
    const slices = [...bySender.values()].flatMap((own) => own.slice(round * perSenderMax, (round + 1) * perSenderMax));
    rounds.push(bySender.size === 1 ? slices : slices.sort());
    ordered += slices.length;
  }
  return rounds;
}
