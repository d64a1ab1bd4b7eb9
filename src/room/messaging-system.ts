import type { Room } from './room.ts';
import type { SendReport } from './deliver-and-log.ts';

/**
 * Sends as any actor of a room that has joined: for a program that speaks for several actors.
 *
 * @example
 * ```ts
 * import { MessagingSystem, openRoom } from 'agent-mailroom';
 *
 * await using room = await openRoom();
 * const mail = new MessagingSystem(room);
 * await mail.sendMessage('alice', 'bob', 'INFO', 'The build is green.');
 * await mail.broadcastMessage('alice', 'INFO', 'Release at noon.');
 * ```
 */
export class MessagingSystem {
  readonly #room: Room;

  /** Wraps an open room, which stays the caller's to close. */
  constructor(room: Room) {
    this.#room = room;
  }

  /**
   * Sends a message from one actor to another.
   *
   * @throws As `Agent.send`; `ActorNotFound` also for a sender that never joined.
   */
  async sendMessage(sender: string, recipient: string, type: string, content: string): Promise<SendReport> {
    return this.#room.agent(sender).send({ to: recipient, type, content });
  }

  /**
   * Sends a message from one actor to every joined actor that takes broadcasts. The report has one outcome per recipient.
   *
   * @throws As `Agent.broadcast`; `ActorNotFound` also for a sender that never joined.
   */
  async broadcastMessage(sender: string, type: string, content: string, excludeSelf = true): Promise<SendReport> {
    return this.#room.agent(sender).broadcast({ type, content, excludeSelf });
  }
}
