import { isMailroomError } from '../errors.ts';
import { cut } from '../message/cut.ts';
import { timeOfId } from '../message/message-id.ts';
import { isCommonType, MessageType } from '../message/message-type.ts';
import type { Message } from '../message/message.ts';
import type { RoomContext } from '../room/context.ts';
import { assertDraft, messageOf, type Draft } from '../room/draft.ts';
import { knownCard } from '../room/card.ts';
import { sealMessage } from '../signing/seal.ts';
import { replyId, replyTypeOf, threadOf } from './question.ts';
import type { AgentReply } from './records.ts';

/** Room for a message's other members: addresses, ids, its signature. */
const ENVELOPE_BYTES = 4_096;
const CUT_TRIES_MAX = 20;

export interface Reply {
  readonly content: string;
  readonly data?: unknown;
  readonly type?: string | undefined;
}

/** Facts for the asker about how the answer was made. */
export interface Notes {
  /** Tools that the program was not allowed to use. */
  readonly denied: readonly string[];
  /** If the conversation's session was lost: the number of earlier messages that the new session got. */
  readonly retold: number | undefined;
}

/** Why there is no answer. */
export interface Failure {
  /** Sentences for the asker. */
  readonly why: string;
  /** How many times the command was run. */
  readonly tries: number;
  /** A retry would fail as well. */
  readonly isFinal: boolean;
}

/** The answer as it will be sent: its type is one that the asker understands, and it fits into a message. */
export function makeAnswer(
  context: RoomContext,
  { address, question, ...made }: { address: string; question: Message; reply: Reply; notes: Notes; tries: number },
): AgentReply {
  const { notes, tries } = made;
  const reply = withNotes(made.reply, notes);
  const denied = notes.denied.length === 0 ? {} : { denied: notes.denied };
  const answer = { ...draftOf(context, { address, question, reply }), isFailure: false, ...denied };
  try {
    assertSendable(context, { address, question, answer });
    return answer;
  } catch (error) {
    if (!isMailroomError(error)) throw error;
    const why = `There is an answer, but it cannot be sent. ${error.message}`;
    return makeFailure(context, { address, question, failure: { why, tries, isFinal: true } });
  }
}

/**
 * The reply that reports a failure. It is a BLOCKED message instead of silence and a dead letter, because the asker waits for
 * a reply, and an `ask` of a workflow ends with it instead of at its deadline.
 */
export function makeFailure(
  context: RoomContext,
  { address, question, failure }: { address: string; question: Message; failure: Failure },
): AgentReply {
  const { why, tries, isFinal } = failure;
  const run = tries === 0 ? 'was not run' : tries === 1 ? 'was run once' : `was run ${tries} times`;
  const content = `I could not answer this; the command behind me ${run}. ${why}`;
  const data = { failed: true, reason: why, tries, ...(isFinal ? { final: true } : {}) };
  const reply: Reply = { content, data };
  return { ...draftOf(context, { address, question, reply }), type: MessageType.BLOCKED, isFailure: true };
}

/** What is handed to `send`: the same answer is always the same draft. */
export function replyDraft(
  question: Message,
  { id, type, content, data }: AgentReply,
): Draft & { readonly to: string } {
  return {
    to: question.from,
    id,
    type,
    content,
    ...(data === undefined ? {} : { data }),
    replyTo: question.id,
    threadId: threadOf(question),
  };
}

/** Adds the notes as data if the answer has none, because its own data may have to fit a schema; else below the text. */
function withNotes(reply: Reply, { denied, retold }: Notes): Reply {
  const data = { ...(denied.length === 0 ? {} : { denied }), ...(retold === undefined ? {} : { retold }) };
  if (Object.keys(data).length === 0) return reply;
  if (reply.data === undefined) return { ...reply, data };
  const told = [
    ...(retold === undefined
      ? []
      : [`The session of this conversation was lost; a new session got ${retold} earlier messages.`]),
    ...(denied.length === 0 ? [] : [`I was not allowed to use: ${denied.join(', ')}.`]),
  ];
  return { ...reply, content: `${reply.content}\n\n${told.join('\n')}` };
}

function draftOf(
  context: RoomContext,
  { address, question, reply }: { address: string; question: Message; reply: Reply },
): Omit<AgentReply, 'isFailure'> {
  const { host, config } = context;
  // The asker's clock may be ahead, and a reply must not be older than its question.
  const timeMs = Math.max(host.clock.now(), timeOfId(question.id));
  const accepts = knownCard(context, question.from)?.accepts ?? [];
  const understood = (type: string): boolean => isCommonType(type) || accepts.includes(type);
  const data = reply.data;
  const dataBytes = data === undefined ? 0 : Buffer.byteLength(JSON.stringify(data));
  return {
    id: replyId(address, question, timeMs),
    type: replyTypeOf(question, { wanted: reply.type, understood }),
    content: fitted(reply.content.toWellFormed(), config.limits.messageBytesMax - ENVELOPE_BYTES - dataBytes),
    ...(data === undefined ? {} : { data }),
  };
}

/** As much of the text as fits, with a note of how much that is. */
function fitted(text: string, bytesMax: number): string {
  let shown = text;
  for (let tries = 0; tries < CUT_TRIES_MAX; tries++) {
    const told = shown === text ? text : `${shown}\n(These are ${shown.length} of ${text.length} characters.)`;
    const bytes = Buffer.byteLength(JSON.stringify(told));
    if (bytes <= bytesMax) return told;
    const share = Math.max(0, bytesMax - 100) / bytes;
    shown = cut(shown, { charsMax: Math.floor(shown.length * share * 0.98), mark: '' });
  }
  return '';
}

function assertSendable(
  context: RoomContext,
  { address, question, answer }: { address: string; question: Message; answer: AgentReply },
): void {
  const draft = replyDraft(question, answer);
  assertDraft(context, draft);
  const message = messageOf(context, { id: answer.id, from: address, to: [question.from], draft });
  sealMessage(message, { key: context.keyring.signerOf(address), limits: context.config.limits });
}
