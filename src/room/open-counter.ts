import { listSegments, segmentPath } from '../chain/segment-files.ts';
import { actorLayout } from '../message/layout.ts';
import type { RoomContext } from './context.ts';
import { COUNTER_NAMING, RateCounter } from '../rate/counter.ts';

/** A generation holds the grants it carries over (about 60 bytes each) and several times as many new ones. */
const BYTES_PER_CARRIED_GRANT = 240;

/** The files of a sender's rate counter. */
export function counterFiles({ host, layout }: Pick<RoomContext, 'host' | 'layout'>, address: string): string[] {
  const place = { directory: actorLayout(layout, address).directory, naming: COUNTER_NAMING };
  if (host.files.lstat(place.directory)?.kind !== 'directory') return [];
  return listSegments(host.files, place).firsts.map((first) => segmentPath(place, first));
}

/** The rate counter of one sender, with the limits that the room gives it. */
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
