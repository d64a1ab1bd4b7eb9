import { createIdSource, nodeHost } from 'agent-mailroom';

const ids = createIdSource(nodeHost.randomBytes);

/** The id of a message that is stored before it is sent, so that each try sends the same one. Later ones are greater. */
export function newMessageId(): string {
  return ids.next(nodeHost.clock.now());
}
