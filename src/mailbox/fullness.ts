import { senderInName } from '../message/layout.ts';
import type { Fullness, Mailbox } from './mailbox.ts';

const COUNT_EVERY_MS = 1_000;

/** What one sender has waiting in a mailbox, and the places that are free there for everybody. */
export interface Share {
  readonly own: number;
  readonly waiting: number;
  readonly free: number;
}

/**
 * The share of a sender. Counted at most once a second, so the bound is soft: what other processes deliver within that
 * second is not seen.
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
 * Whether the mailbox is full for this sender: once as many of its messages wait as there are free places. So one sender
 * fills at most half of a mailbox, and each further one at most half of what is left.
 */
export function isFullFor({ own, free }: Share): boolean {
  return own >= free;
}

/** Counts what this process delivered itself. */
export function countDelivered({ memory: { fullness } }: Mailbox, sender: string): void {
  if (!fullness) return;
  fullness.count += 1;
  fullness.bySender.set(sender, (fullness.bySender.get(sender) ?? 0) + 1);
}

/** Lists `new`. */
export function countWaiting({ host, layout }: Mailbox): Fullness {
  const names = host.files.readdir(layout.new);
  const bySender = new Map<string, number>();
  for (const name of names) {
    const sender = senderInName(name);
    bySender.set(sender, (bySender.get(sender) ?? 0) + 1);
  }
  return { count: names.length, bySender };
}
