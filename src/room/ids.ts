import { createIdSource, type IdSource } from '../message/message-id.ts';
import type { RoomContext } from './context.ts';

const HOUR_MS = 3_600_000;

/**
 * Makes the ids of the messages an actor sends from this process. Logs when the clock was set back too far for ids to
 * keep rising.
 */
export function createIds({ host, config, log }: RoomContext, address: string): IdSource {
  return createIdSource(host.randomBytes, {
    aheadMsMax: config.limits.clockSkewMsMax,
    onRestart: (aheadMs) => {
      const detail = `the clock was set back by ${(aheadMs / HOUR_MS).toFixed(1)} h: messages sent from now on are read before those sent last`;
      log.append({ event: 'clock-back', from: address, detail });
    },
  });
}
