import { deliver, type DeliveryOptions, type DeliveryOutcome } from '../mailbox/deliver.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Message } from '../message/message.ts';
import type { SealedMessage } from '../signing/seal.ts';
import type { RoomContext } from './context.ts';

/** What happened to a message that was sent. */
export interface SendReport {
  /** The id of the message. */
  readonly id: string;
  /** The message as it was sent. */
  readonly message: Message;
  /** The outcome for each recipient, by address. */
  readonly outcomes: Readonly<Record<string, DeliveryOutcome>>;
}

type SealedDelivery = DeliveryOptions & { readonly sealed: SealedMessage; readonly recipients: readonly Mailbox[] };

/** Delivers a signed message, nudges its recipients and logs it. Never throws; every recipient has an outcome. */
export async function deliverAndLog(context: RoomContext, delivery: SealedDelivery): Promise<SendReport> {
  const report = await deliverSealed(context, delivery);
  logSent(context, report.message, report.outcomes);
  return report;
}

/**
 * The same without the log entry, for a caller that tries recipients at several times and logs once all have been
 * tried.
 */
export async function deliverSealed(
  context: RoomContext,
  { sealed, recipients, ...options }: SealedDelivery,
): Promise<SendReport> {
  const delivered = await deliver(recipients, sealed, options);
  const outcomes: Record<string, DeliveryOutcome> = {};
  for (const [index, outcome] of delivered.entries()) {
    const address = recipients[index]?.address ?? '';
    outcomes[address] = outcome;
    if (outcome.outcome !== 'failed') context.nudges.add(address, 'delivered');
  }
  return { id: sealed.message.id, message: sealed.message, outcomes };
}

/** Logs that a message was sent, once for all recipients that have an outcome. */
export function logSent(
  { log }: RoomContext,
  { id, from, to, type, content }: Pick<Message, 'id' | 'from' | 'to' | 'type' | 'content'>,
  outcomes: SendReport['outcomes'],
): void {
  const outcome = commonOutcome(outcomes) ?? outcomesByName(outcomes);
  log.append({ event: 'sent', id, from, to, type, outcome, content });
}

/** The outcome shared by every recipient; undefined if they differ. */
function commonOutcome(outcomes: SendReport['outcomes']): string | undefined {
  let common: string | undefined;
  for (const address in outcomes) {
    const { outcome } = outcomes[address] ?? {};
    if (common !== undefined && outcome !== common) return undefined;
    common = outcome;
  }
  return common;
}

function outcomesByName(outcomes: SendReport['outcomes']): Record<string, string> {
  return Object.fromEntries(Object.entries(outcomes).map(([address, { outcome }]) => [address, outcome]));
}
