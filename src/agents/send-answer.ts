import { isMailroomError, isRoomLost, RateLimitExceeded } from '../errors.ts';
import type { Clock } from '../host/host.ts';
import type { Message } from '../message/message.ts';
import type { Agent } from '../room/agent.ts';
import { isTooEarly } from '../room/draft.ts';
import { replyDraft } from './make-answer.ts';
import type { Answer } from './records.ts';

const TRIES_MAX = 5;
const PAUSE_MS_MIN = 500;
const PAUSE_GROWTH = 2;

/** `refused` is why it will never be delivered; `postponed` why not now. */
export type Sent = 'delivered' | { readonly refused: string } | { readonly postponed: string };

/**
 * Sends a stored answer. Once more is nothing: its id and its bytes are the same each time. Waits for its turn at the rate
 * limit. Rejects with the signal's reason, and when the room is not there any more.
 */
export async function sendAnswer(
  agent: Agent,
  { question, answer, clock, signal }: { question: Message; answer: Answer; clock: Clock; signal: AbortSignal },
): Promise<Sent> {
  const draft = replyDraft(question, answer);
  let pauseMs = PAUSE_MS_MIN;
  for (let tries = 1; ;) {
    signal.throwIfAborted();
    try {
      await agent.send(draft);
      return 'delivered';
    } catch (error) {
      if (!isMailroomError(error) || isRoomLost(error)) throw error;
      if (error instanceof RateLimitExceeded) {
        await clock.sleep(Math.max(error.retryAt - clock.now(), PAUSE_MS_MIN), signal);
        continue;
      }
      if (isTooEarly(error)) return { postponed: error.message };
      if (!MAY_PASS.has(error.code)) return { refused: error.message };
      if (tries++ === TRIES_MAX) return { postponed: error.message };
    }
    await clock.sleep(pauseMs, signal);
    pauseMs *= PAUSE_GROWTH;
  }
}

/** What another try may get over. */
const MAY_PASS: ReadonlySet<string> = new Set(['MAILBOX_FULL', 'MESSAGE_DELIVERY', 'TIMEOUT', 'ROOM_REFUSED']);
