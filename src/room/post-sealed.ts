import { deliver, type DeliveryOptions, type DeliveryOutcome } from '../mailbox/deliver.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Message } from '../message/message.ts';
import type { SealedMessage } from '../signing/seal.ts';
import type { RoomContext } from './context.ts';

/** What became of a message, recipient by recipient. */
export interface SendReport {
  readonly id: string;
  readonly message: Message;
  readonly outcomes: Readonly<Record<string, DeliveryOutcome>>;
}

/** Delivers a signed message, nudges whoever got it and writes it down. Never throws; every recipient has its outcome. */
export async function postSealed(
  context: RoomContext,
  { sealed, recipients, ...options }: DeliveryOptions & { sealed: SealedMessage; recipients: readonly Mailbox[] },
): Promise<SendReport> {
  const delivered = await deliver(recipients, sealed, options);
  const outcomes: Record<string, DeliveryOutcome> = {};
  for (const [index, outcome] of delivered.entries()) {
    const address = recipients[index]?.address ?? '';
    outcomes[address] = outcome;
    if (outcome.outcome !== 'failed') context.nudges.add(address, 'delivered');
  }
  const report: SendReport = { id: sealed.message.id, message: sealed.message, outcomes };
  logSent(context, report);
  return report;
}

function logSent({ log }: RoomContext, { message, outcomes }: SendReport): void {
  const { id, from, to, type, content } = message;
  const outcome = commonOutcome(outcomes) ?? outcomesByName(outcomes);
  log.append({ event: 'sent', id, from, to, type, outcome, content });
}

/** The outcome that every recipient had; undefined when they differ. */
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
