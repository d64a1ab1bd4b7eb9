import { watchArrivals } from '../mailbox/arrivals.ts';
import type { InboxListing } from '../mailbox/status.ts';
import type { Agent } from './agent.ts';
import { mailboxOf, type RoomContext } from './context.ts';

/**
 * Waits until an agent's mailbox has mail that is not claimed, and claims none of it. Undefined if the signal aborts
 * first. Files that no reader would accept and expired mail do not count.
 */
export async function waitForUnread(
  context: RoomContext,
  agent: Agent,
  { limit, signal }: { limit: number; signal: AbortSignal },
): Promise<InboxListing | undefined> {
  const mailbox = mailboxOf(context, agent.address);
  if (!mailbox) return undefined;
  const warn = (detail: string): void => context.log.append({ event: 'warning', to: agent.address, detail });
  const { pollMs } = context.config.limitsOf(agent.address);
  const arrivals = watchArrivals(mailbox, { pollMs, watch: true, signal, warn });
  try {
    while (!signal.aborted) {
      const peeked = agent.list({ limit, unread: true });
      if (peeked.unsettled.length > 0) return peeked;
      await arrivals.next();
    }
    return undefined;
  } finally {
    arrivals.close();
  }
}
