import { isLeaseLost } from '../errors.ts';
import { actorLayout } from '../message/layout.ts';
import { MessageType } from '../message/message-type.ts';
import type { Agent } from '../room/agent.ts';
import type { RoomContext } from '../room/context.ts';
import type { Mail } from '../room/mail.ts';
import { showLife } from '../room/signs-of-life.ts';
import type { AgentEvent, AgentSettings } from './settings.ts';
import { type AgentReply, keepContext, putAnswer, readAnswer } from './records.ts';
import { findAnswer, type Found } from './find-answer.ts';
import { isQuestion, questionKey } from './question.ts';
import { sendAnswer } from './send-answer.ts';
import { forgetQuestion } from './tidy.ts';

export interface Serving {
  readonly context: RoomContext;
  readonly agent: Agent;
  readonly settings: AgentSettings;
  /** Aborts when the agent is to end. */
  readonly signal: AbortSignal;
  readonly tell: (event: AgentEvent) => void;
  /** The ids of the questions whose answers were delivered; one that comes back is answered once all the same. */
  readonly answered: Set<string>;
}

/** Short, so that what a killed agent held comes back soon. */
export const LEASE_MS = 60_000;
/** The wait after something went wrong that is not the command's fault, such as a full disk. */
export const TROUBLE_MS = 5_000;

/** What became of a message; `retryInMs` is set when it was given back to be tried again after that. */
export interface Served {
  readonly retryInMs?: number;
}

/**
 * Deals with one message, to its acknowledgement: answers a question, keeps the rest as context. Each step is on the disk
 * before the next one, so it may be done again from anywhere: round, answer, delivery, acknowledgement, removal. Rejects
 * with `LeaseLost` when somebody else has the message, and with the signal's reason; then it was given back.
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
      if (!('answer' in found)) return await giveBack(serving, mail, found);
      answer = await putAnswer(host, directory, found.answer);
    }
    return await deliver(serving, mail, { answer, key, signal: either });
  } catch (error) {
    await lease[Symbol.asyncDispose]();
    // Otherwise it comes back when its lease ends; what is stored of it stays.
    if (!isLeaseLost(error)) await mail.release().catch(() => {});
    throw error;
  }
}

function find(
  { context, agent, settings, signal: ending, tell }: Serving,
  mail: Mail,
  signal: AbortSignal,
): Promise<Found> {
  const { attemptsMax } = context.config.limitsOf(agent.address);
  return findAnswer({
    context,
    address: agent.address,
    question: mail.message,
    settings,
    isLast: mail.attempt >= attemptsMax,
    signal,
    // Whoever else has the message waits for the same run.
    endsCommand: () => ending.aborted,
    tell: (event) => tell({ ...event, message: mail.message }),
  });
}

async function giveBack(
  { tell }: Serving,
  mail: Mail,
  { retryInMs, why, failures }: Exclude<Found, { answer: unknown }>,
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
  // It stays claimed: others are not held up by it, and it is tried again when its lease ends.
  tell({ kind: 'postponed', message, why: sent.postponed });
  return {};
}

/** After the delivery: whatever goes wrong here, the question is answered, and says so. */
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
