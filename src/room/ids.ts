import { createIdSource, type IdSource } from '../message/message-id.ts';
import type { RoomContext } from './context.ts';

const HOUR_MS = 3_600_000;

/** Makes the ids of what an actor sends from this process. Where the clock was set back too far for them to rise, the log says so. */
export function createIds({ host, config, log }: RoomContext, address: string): IdSource {
  return createIdSource(host.randomBytes, {
    aheadMsMax: config.limits.clockSkewMsMax,
    onRestart: (aheadMs) => {
      const detail = `the clock was set back by ${(aheadMs / HOUR_MS).toFixed(1)} h: what is sent from now on is read before what was sent last`;
      log.append({ event: 'clock-back', from: address, detail });
    },
  });
}
