import { actorLayout } from '../message/layout.ts';
import type { RoomContext } from './context.ts';
import { RateCounter } from './rate-limit.ts';

/** A generation holds the grants it carries over (about 60 bytes each) and several times as many new ones. */
const BYTES_PER_CARRIED_GRANT = 240;

/** The counter of one sender, under the limits that the room gives it. */
export function openCounter({ host, layout, config }: RoomContext, address: string): RateCounter {
  const { rateLimit, rateWindowMs, rateSegmentBytesMax, lockWaitMsMax, grantUseMsMax } = config.limitsOf(address);
  return new RateCounter({
    host,
    directory: actorLayout(layout, address).directory,
    sender: address,
    limit: rateLimit,
    windowMs: rateWindowMs,
    segmentBytesMax: Math.max(rateSegmentBytesMax, rateLimit * BYTES_PER_CARRIED_GRANT),
    lockWaitMsMax,
    grantUseMsMax,
  });
}
