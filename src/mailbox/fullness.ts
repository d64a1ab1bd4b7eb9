import type { Mailbox } from './mailbox.ts';

const COUNT_EVERY_MS = 1_000;

/**
 * Whether `new` holds as many messages as allowed. Counted at most once a second, so the bound is soft: what other
 * processes deliver within that second is not seen.
 */
export function isFull(mailbox: Mailbox): boolean {
  const { memory, host, layout, limits } = mailbox;
  const now = host.clock.now();
  const known = memory.fullness;
  if (!known || now - known.countedAtMs >= COUNT_EVERY_MS || now < known.countedAtMs) {
    memory.fullness = { countedAtMs: now, count: host.files.readdir(layout.new).length };
  }
  return (memory.fullness?.count ?? 0) >= limits.newMessagesMax;
}

/** Counts what this process delivered itself. */
export function countDelivered(mailbox: Mailbox): void {
  if (mailbox.memory.fullness) mailbox.memory.fullness.count += 1;
}
