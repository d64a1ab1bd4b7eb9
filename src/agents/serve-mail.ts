import { isLeaseLost, isMailroomError, isRoomLost } from '../errors.ts';
import { actorLayout } from '../message/layout.ts';
import { MessageType } from '../message/message-type.ts';
import type { Message } from '../message/message.ts';
import type { Agent } from '../room/agent.ts';
import type { RoomContext } from '../room/context.ts';
import type { Mail } from '../room/mail.ts';
import { mayPass } from '../room/retry-send.ts';
import { showLife } from '../room/signs-of-life.ts';
import type { AgentEvent, AgentSettings } from './settings.ts';
import { type AgentReply, keepContext, putAnswer, readAnswer } from './records.ts';
import { findAnswer, type FindAnswerResult } from './find-answer.ts';
import { replyDraft } from './make-answer.ts';
import { isQuestion, questionKey } from './question.ts';
import { forgetQuestion } from './forget-question.ts';

export interface Serving {
  readonly context: RoomContext;
  readonly agent: Agent;
  readonly settings: AgentSettings;
  /** Aborts when the agent is to end. */
  readonly signal: AbortSignal;
  readonly tell: (event: AgentEvent) => void;
  /** The ids of the questions whose answers were delivered. A question that comes back is still counted once. */
  readonly answered: Set<string>;
}

/** Short, so that the mail of a killed agent comes back soon. */
export const LEASE_MS = 60_000;
/** The wait after an error that is not the command's fault, such as a full disk. */
export const TROUBLE_MS = 5_000;

/** The result for a message; `retryInMs` is set if it was released, to be retried after that. */
export interface Served {
  readonly retryInMs?: number;
}

/**
 * Handles one message up to its acknowledgement: answers a question, keeps other mail as context. Each step is durable
 * before the next, so every step can be repeated after a crash: round, answer, delivery, acknowledgement, removal. Rejects
 * with `LeaseLost` if another reader has the message, and with the signal's reason; in that case the message was released.
 */
export async function serveMail(serving: Serving, mail: Mail): Promise<Served> {
  const { context, agent, settings, tell } = serving;
  const { message } = mail;
  if (isQuestion(message, { address: agent.address, types: settings.types })) return answerQuestion(serving, mail);
  if (message.type !== MessageType.ACK && message.from !== agent.address) {
    await keepContext(context.host, actorLayout(context.layout, agent.address).agent.context, message);
    tell({ kind: 'context', message });
  }
  await mail.ack();
  return {};
}

async function answerQuestion(serving: Serving, mail: Mail): Promise<Served> {
  const { context, agent, signal } = serving;
  const { host, layout } = context;
  await using lease = mail.keep({ leaseMs: LEASE_MS, onRenew: () => showLife(context, agent.address) });
  try {
    const key = questionKey(agent.address, mail.message);
    const directory = `${actorLayout(layout, agent.address).agent.questions}/${key}`;
    const either = AbortSignal.any([signal, lease.signal]);
    let answer = readAnswer(host, directory);
    if (!answer) {
      const found = await find(serving, mail, either);
      if (!('answer' in found)) return await releaseForRetry(serving, mail, found);
      answer = await putAnswer(host, directory, found.answer);
    }
    return await deliver(serving, mail, { answer, key, signal: either });
  } catch (error) {
    await lease[Symbol.asyncDispose]();
    // If the release fails, the message comes back when its lease ends. Its records stay.
    if (!isLeaseLost(error)) await mail.release().catch(() => {});
    throw error;
  }
}

function find(
  { context, agent, settings, signal: ending, tell }: Serving,
  mail: Mail,
  signal: AbortSignal,
): Promise<FindAnswerResult> {
  const { attemptsMax } = context.config.limitsOf(agent.address);
  return findAnswer({
    context,
    address: agent.address,
    question: mail.message,
    settings,
    isLast: mail.attempt >= attemptsMax,
    signal,
    // After a lost lease the command keeps running: the reader that took the message over waits for the same run.
    endsCommand: () => ending.aborted,
    tell: (event) => tell({ ...event, message: mail.message }),
  });
}

async function releaseForRetry(
  { tell }: Serving,
  mail: Mail,
  { retryInMs, why, failures }: Exclude<FindAnswerResult, { answer: unknown }>,
): Promise<Served> {
  await mail.release();
  tell({ kind: 'failed', message: mail.message, why, failures, retryInMs });
  return { retryInMs };
}

async function deliver(
  serving: Serving,
  mail: Mail,
  { answer, key, signal }: { answer: AgentReply; key: string; signal: AbortSignal },
): Promise<Served> {
  const { agent, tell } = serving;
  const { message } = mail;
  const sent = await sendAnswer(agent, { question: message, answer, signal });
  if (sent === 'delivered') {
    if (!serving.answered.has(message.id)) tell({ kind: 'answered', message, answer });
    serving.answered.add(message.id);
    return conclude(serving, mail, key);
  }
  if ('refused' in sent) {
    await mail.reject(`its answer could not be delivered: ${sent.refused}`);
    tell({ kind: 'undeliverable', message, why: sent.refused });
    return {};
  }
  // The question stays claimed: it delays no other mail, and is retried when its lease ends.
  tell({ kind: 'postponed', message, why: sent.postponed });
  return {};
}

const TRIES_MAX = 6;

/** `refused`: why the answer can never be delivered. `postponed`: why it cannot be delivered now. */
export type SendResult = 'delivered' | { readonly refused: string } | { readonly postponed: string };

/**
 * Sends a stored answer. Idempotent: its id and its bytes are the same each time. Waits for the rate limit. Rejects with the
 * signal's reason, and if the room is gone.
 */
export async function sendAnswer(
  agent: Agent,
  { question, answer, signal }: { question: Message; answer: AgentReply; signal: AbortSignal },
): Promise<SendResult> {
  try {
    await agent.send(replyDraft(question, answer), { retry: { triesMax: TRIES_MAX, signal } });
    return 'delivered';
  } catch (error) {
    if (signal.aborted || !isMailroomError(error) || isRoomLost(error)) throw error;
    return mayPass(error) ? { postponed: error.message } : { refused: error.message };
  }
}

/** Runs after the delivery: the question is answered, so a failure here is only reported. */
async function conclude({ context, agent, tell }: Serving, mail: Mail, key: string): Promise<Served> {
  const { message } = mail;
  try {
    await mail.ack();
  } catch (error) {
    tell({ kind: 'unsettled', message, why: messageOf(error) });
    if (isLeaseLost(error)) return {};
    await mail.release().catch(() => {});
    return { retryInMs: TROUBLE_MS };
  }
  try {
    await forgetQuestion(context, agent.address, key);
  } catch (error) {
    tell({ kind: 'untidy', message, why: messageOf(error) });
  }
  return {};
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
