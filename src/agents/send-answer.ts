import { isMailroomError, isRoomLost } from '../errors.ts';
import type { Message } from '../message/message.ts';
import type { Agent } from '../room/agent.ts';
import { mayPass } from '../room/retry-send.ts';
import { replyDraft } from './make-answer.ts';
import type { AgentReply } from './records.ts';

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
): Promise<Sent> {
  try {
    await agent.send(replyDraft(question, answer), { retry: { triesMax: TRIES_MAX, signal } });
    return 'delivered';
  } catch (error) {
    if (signal.aborted || !isMailroomError(error) || isRoomLost(error)) throw error;
    return mayPass(error) ? { postponed: error.message } : { refused: error.message };
  }
}
