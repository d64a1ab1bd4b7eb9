import {
  ActorNotFound,
  Conflict,
  InvalidInput,
  MailroomError,
  MessageDeliveryError,
  RateLimitExceeded,
} from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { deliver, type DeliveryOutcome } from '../mailbox/deliver.ts';
import type { Durability, Mailbox } from '../mailbox/mailbox.ts';
import { createTurns, type Turn } from '../mailbox/turns.ts';
import { assertAddress, EVERYONE } from '../message/address.ts';
import { createIdSource, isMessageId, timeOfId, type IdSource } from '../message/message-id.ts';
import { assertDeclaredType, isCommonType } from '../message/message-type.ts';
import { THREAD_ID_CHARS_MAX, type Message } from '../message/message.ts';
import { nearest } from '../message/nearest.ts';
import { sealMessage } from '../signing/seal.ts';
import { listAddresses, listCards, mailboxOf, type RoomContext } from './context.ts';
import { openCounter } from './open-counter.ts';
import type { RateCounter } from './rate-limit.ts';

/** What an actor says; the rest of the message is made when it is sent. */
export interface Draft {
  readonly type: string;
  /** Text for a reader. */
  readonly content: string;
  /** JSON for a program. */
  readonly data?: unknown;
  readonly threadId?: string | undefined;
  /** The id of the message this one answers. */
  readonly replyTo?: string | undefined;
  readonly needsAck?: boolean | undefined;
  /** Ms after its sending at which it is no longer worth reading. */
  readonly expiresInMs?: number | undefined;
  /** The id of an earlier try of the same message (UUIDv7): it is then delivered once, however often it is sent. */
  readonly id?: string | undefined;
  /** `power` survives a power loss, `process` only the end of the process; the room's when not given. */
  readonly durability?: Durability | undefined;
}

/** What became of a message, recipient by recipient. */
export interface SendReport {
  readonly id: string;
  readonly message: Message;
  readonly outcomes: Readonly<Record<string, DeliveryOutcome>>;
}

/** One actor's way to send, in this process: its ids, its turns and its counter. */
export interface Sender {
  readonly address: string;
  /** Throws what stopped it before any recipient was tried; after that every recipient has its outcome. */
  send(to: readonly string[], draft: Draft): Promise<SendReport>;
  /** The same to every joined agent (and workflows whose card asks for it), signed once for `all`. */
  broadcast(draft: Draft, options: { excludeSelf: boolean }): Promise<SendReport>;
  close(): void;
}

const ID_AHEAD_MS_MAX = 60_000;

export function createSender(context: RoomContext, address: string): Sender {
  const ids = createIdSource(context.host.randomBytes);
  const takeTurn = createTurns();
  let counter: RateCounter | undefined;
  const inTurn = async (work: (turn: Turn) => Promise<SendReport>): Promise<SendReport> => {
    const turn = takeTurn();
    try {
      return await work(turn);
    } finally {
      turn.pass();
    }
  };
  const post = async (parts: {
    to: readonly string[];
    recipients: readonly Mailbox[];
    draft: Draft;
    turn: Turn;
  }): Promise<SendReport> => {
    counter ??= openCounter(context, address);
    return postMessage(context, { ...parts, from: address, ids, counter });
  };
  return {
    address,
    send: (to, draft) =>
      inTurn(async (turn) => {
        assertDraft(context, draft);
        const recipients = to.map((one) => mailboxOrThrow(context, one, draft));
        return post({ to, recipients, draft, turn });
      }),
    broadcast: (draft, { excludeSelf }) =>
      inTurn(async (turn) => {
        assertDraft(context, draft);
        const recipients = audience(context, excludeSelf ? address : undefined);
        // A broadcast is never valid in its sender's own mailbox, so to be among its readers it names them.
        const to = excludeSelf ? [EVERYONE] : recipients.map((one) => one.address);
        return post({ to, recipients, draft, turn });
      }),
    close: () => counter?.close(),
  };
}

async function postMessage(
  context: RoomContext,
  post: {
    from: string;
    to: readonly string[];
    recipients: readonly Mailbox[];
    draft: Draft;
    turn: Turn;
    ids: IdSource;
    counter: RateCounter;
  },
): Promise<SendReport> {
  const { from, to, recipients, draft, turn } = post;
  const id = await charge(context, post);
  const message = messageOf(context, { id, from, to, draft });
  const sealed = sealMessage(message, { key: context.keyring.signerOf(from), limits: context.config.limits });
  const durability = draft.durability ?? context.durability;
  const delivered = await deliver(recipients, sealed, { durability, repeat: draft.id !== undefined, turn });
  const outcomes: Record<string, DeliveryOutcome> = {};
  for (const [index, outcome] of delivered.entries()) {
    const address = recipients[index]?.address ?? '';
    outcomes[address] = outcome;
    if (outcome.outcome !== 'failed') context.nudge(context, address);
  }
  const report: SendReport = { id, message, outcomes };
  logSent(context, report);
  return report;
}

/** Takes a grant from the sender's counter and resolves with the message's id, whose time is the grant's. */
async function charge(
  context: RoomContext,
  { from, draft, ids, counter }: { from: string; draft: Draft; ids: IdSource; counter: RateCounter },
): Promise<string> {
  try {
    const wanted = draft.id === undefined ? { idAt: (timeMs: number) => ids.next(timeMs) } : { id: draft.id };
    return (await counter.grant(wanted)).id;
  } catch (error) {
    if (error instanceof RateLimitExceeded) {
      context.log.append({
        event: 'rate-limited',
        from,
        type: draft.type,
        content: draft.content,
        detail: error.message,
      });
    }
    if (error instanceof MailroomError) throw error;
    const id = draft.id ?? ids.next(context.host.clock.now());
    throw new MessageDeliveryError(
      `Nothing was sent: the counter of ${from} cannot be written (${errnoOf(error) ?? String(error)}).`,
      {
        cause: error,
        id,
        outcome: 'failed',
        hint: 'Mend what the system reports (disk, permissions) and send again.',
      },
    );
  }
}

function messageOf(
  context: RoomContext,
  { id, from, to, draft }: { id: string; from: string; to: readonly string[]; draft: Draft },
): Message {
  const timeMs = timeOfId(id);
  const { type, content, data, threadId, replyTo, needsAck, expiresInMs } = draft;
  return {
    id,
    room: context.config.roomId,
    from,
    to,
    type,
    sentAt: new Date(timeMs).toISOString(),
    content,
    ...(data === undefined ? {} : { data }),
    ...(threadId === undefined ? {} : { threadId }),
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(needsAck === undefined ? {} : { needsAck }),
    // Counted from the id's time, so that a repeated send has the same bytes.
    ...(expiresInMs === undefined ? {} : { expiresAt: new Date(timeMs + expiresInMs).toISOString() }),
  };
}

/** Everything a draft can have wrong, before it is charged. */
function assertDraft(context: RoomContext, draft: Draft): void {
  const { type, id, replyTo, threadId, expiresInMs } = draft;
  if (!isCommonType(type)) {
    assertDeclaredType(type, new Set(listCards(context).flatMap((card) => [...card.accepts])));
  }
  if (id !== undefined && !isMessageId(id)) {
    throw new InvalidInput(`The id ${JSON.stringify(id.slice(0, 60))} is no UUIDv7 in lower case.`, {
      hint: 'Leave the id out, or give the one that an earlier try reported.',
    });
  }
  if (id !== undefined && timeOfId(id) > context.host.clock.now() + ID_AHEAD_MS_MAX) {
    throw new InvalidInput(`The id ${id} is of ${new Date(timeOfId(id)).toISOString()}, which is still to come.`, {
      hint: 'Compare the clocks, or leave the id out.',
    });
  }
  if (replyTo !== undefined && !isMessageId(replyTo)) {
    throw new InvalidInput(
      `The message answered, ${JSON.stringify(replyTo.slice(0, 60))}, is no UUIDv7 in lower case.`,
    );
  }
  if (threadId !== undefined && (threadId.length === 0 || threadId.length > THREAD_ID_CHARS_MAX)) {
    throw new InvalidInput(`The thread id has ${threadId.length} characters: expected 1 to ${THREAD_ID_CHARS_MAX}.`);
  }
  if (expiresInMs !== undefined && (!Number.isSafeInteger(expiresInMs) || expiresInMs < 1)) {
    throw new InvalidInput(`The expiry is ${expiresInMs}: expected a positive whole number of ms.`);
  }
}

function mailboxOrThrow(context: RoomContext, address: string, draft: Draft): Mailbox {
  assertAddress(address);
  const mailbox = mailboxOf(context, address);
  if (mailbox) return mailbox;
  const known = listAddresses(context);
  const near = nearest(address, known);
  const error = new ActorNotFound(
    `Nobody has joined this room as ${address}; ${known.length === 0 ? 'nobody has joined at all' : `joined are ${known.slice(0, 10).join(', ')}`}.`,
    { address, nearest: near, hint: near ? `Did you mean ${near}?` : `They join with: mailroom join ${address}` },
  );
  context.log.append({
    event: 'sent',
    to: address,
    type: draft.type,
    content: draft.content,
    outcome: 'failed',
    detail: error.message,
  });
  throw error;
}

/** Everyone a broadcast goes to. */
function audience(context: RoomContext, excluded: string | undefined): Mailbox[] {
  const cards = listCards(context).filter(
    (card) => card.leftAt === undefined && card.broadcasts && card.address !== excluded,
  );
  const mailboxes = cards.map((card) => mailboxOf(context, card.address)).filter((one) => one !== undefined);
  const most = context.config.limits.broadcastRecipientsMax;
  if (mailboxes.length === 0) {
    throw new ActorNotFound('A broadcast would reach nobody: no other agent has joined this room.', {
      address: EVERYONE,
      hint: 'See who is there: mailroom agents',
    });
  }
  if (mailboxes.length > most) {
    throw new Conflict(`A broadcast would go to ${mailboxes.length} agents, the limit is ${most}.`, {
      hint: 'Raise broadcastRecipientsMax in room.json.',
    });
  }
  return mailboxes;
}

function logSent({ log }: RoomContext, { message, outcomes }: SendReport): void {
  const { id, from, to, type, content } = message;
  const entries = Object.entries(outcomes);
  const alike = new Set(entries.map(([, { outcome }]) => outcome));
  const only = alike.size === 1 ? [...alike][0] : undefined;
  const outcome = only ?? Object.fromEntries(entries.map(([address, one]) => [address, one.outcome]));
  log.append({ event: 'sent', id, from, to, type, outcome, content });
}
