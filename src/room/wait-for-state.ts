import { MessageRefused, WaitTimeout } from '../errors.ts';
import { findBeyondNew } from '../mailbox/find.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { messageFileName, type MessageName } from '../message/layout.ts';
import { mailboxOf, type RoomContext } from './context.ts';
import { waitMsAfter } from '../host/growing-wait.ts';

const POLLS = { msMin: 10, msMax: 250 };

/**
 * Resolves once every recipient has claimed, or acknowledged, the message; acknowledged includes claimed. Throws
 * `WaitTimeout` after `timeoutMs`, and `MessageRefused` if a recipient has given the message up. An aborted signal ends
 * the wait like a timeout.
 */
export async function waitForState(
  context: RoomContext,
  wanted: MessageName & {
    readonly recipients: readonly string[];
    readonly state: 'claimed' | 'acknowledged';
    readonly timeoutMs: number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<void> {
  const { clock } = context.host;
  const { id, state, timeoutMs, signal } = wanted;
  const startMs = clock.uptimeMs();
  const name = messageFileName(wanted);
  let waiting = wanted.recipients.map((address) => mailboxOf(context, address)).filter((one) => one !== undefined);
  for (let looks = 0; ; looks++) {
    context.standing.assertSame();
    waiting = waiting.filter((mailbox) => !hasReached(mailbox, { name, id, state }));
    if (waiting.length === 0) return;
    const leftMs = startMs + timeoutMs - clock.uptimeMs();
    if (leftMs <= 0 || signal?.aborted) {
      throw new WaitTimeout(
        `${waiting.map(({ address }) => address).join(', ')} had not ${state} the message ${id} after ${timeoutMs / 1000} s; it stays delivered.`,
        { hint: `See where it is: mailroom status ${id.slice(-8)}` },
      );
    }
    await clock.sleep(Math.min(waitMsAfter(POLLS, looks), leftMs), signal);
  }
}

function hasReached(
  mailbox: Mailbox,
  { name, id, state }: { name: string; id: string; state: 'claimed' | 'acknowledged' },
): boolean {
  const found = findBeyondNew(mailbox, name).map((one) => one.state);
  if (found.includes('acknowledged')) return true;
  if (found.includes('dead')) {
    throw new MessageRefused(`${mailbox.address} gave the message ${id} up: it is a dead letter there.`, {
      reason: 'rejected',
      hint: `See why: mailroom status ${id.slice(-8)}`,
    });
  }
  return state === 'claimed' && found.includes('claimed');
}
