import { setTimeout as sleep } from 'node:timers/promises';
import { MailroomError, RateLimitExceeded, type Agent, type Draft } from 'agent-mailroom';

const TRIES_MAX = 8;
const PAUSE_MS_MIN = 250;
const PAUSE_GROWTH = 2;
/** What another try may get over. */
const MAY_PASS: ReadonlySet<string> = new Set(['MAILBOX_FULL', 'MESSAGE_DELIVERY', 'TIMEOUT', 'ROOM_REFUSED']);

/** A message with the id under which every try sends it. */
export interface Letter extends Draft {
  readonly to: string;
  readonly id: string;
}

/** Sends a letter, and again while that may help; waits for its turn at the rate limit. Rejects with the last error. */
export async function sendPatiently(agent: Agent, letter: Letter, signal: AbortSignal): Promise<void> {
  let pauseMs = PAUSE_MS_MIN;
  for (let tries = 1; ;) {
    signal.throwIfAborted();
    try {
      await agent.send(letter);
      return;
    } catch (error) {
      if (error instanceof RateLimitExceeded) {
        await sleep(Math.max(error.retryAt - Date.now(), PAUSE_MS_MIN), undefined, { signal });
        continue;
      }
      if (!(error instanceof MailroomError) || !MAY_PASS.has(error.code) || tries++ === TRIES_MAX) throw error;
    }
    await sleep(pauseMs, undefined, { signal });
    pauseMs *= PAUSE_GROWTH;
  }
}
