import type { Room } from './room.ts';
import type { SendReport } from './deliver-and-log.ts';

/** The protocol's own two verbs over a room, for programs that send as several actors. Each sender must have joined. */
export class MessagingSystem {
  readonly #room: Room;

  constructor(room: Room) {
    this.#room = room;
  }

  /** Sends `content` from one actor to another. Throws as `Agent.send`; `ActorNotFound` also for a sender that never joined. */
  async sendMessage(sender: string, recipient: string, type: string, content: string): Promise<SendReport> {
    return this.#room.agent(sender).send({ to: recipient, type, content });
  }

  /**
   * Sends `content` to every joined agent, and to the sender only if `excludeSelf` is false. The report has an outcome
   * for each recipient.
   */
  async broadcastMessage(sender: string, type: string, content: string, excludeSelf = true): Promise<SendReport> {
    return this.#room.agent(sender).broadcast({ type, content, excludeSelf });
  }
}
