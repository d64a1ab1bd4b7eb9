import { isMailroomError, isRoomLost } from '../errors.ts';
import type { Message } from '../message/message.ts';
import type { Agent } from '../room/agent.ts';
import { mayPass } from '../room/retry-send.ts';
import { replyDraft } from './make-answer.ts';
import type { AgentReply } from './records.ts';

const TRIES_MAX = 6;

/** `refused` is why it will never be delivered; `postponed` why not now. */
export type Sent = 'delivered' | { readonly refused: string } | { readonly postponed: string };

/**
 * Sends a stored answer. Idempotent: its id and its bytes are the same each time. Waits for its turn at the rate limit.
 * Rejects with the signal's reason, and when the room is not there any more.
 */
export async function sendAnswer(
  agent: Agent,
  { question, answer, signal }: { question: Message; answer: AgentReply; signal: AbortSignal },
): Promise<Sent> {
  try {
    await agent.send(replyDraft(question, answer), { retry: { triesMax: TRIES_MAX, signal } });
    return 'delivered';
  } catch (error) {
    if (signal.aborted || !isMailroomError(error) || isRoomLost(error)) throw error;
    return mayPass(error) ? { postponed: error.message } : { refused: error.message };
  }
}
