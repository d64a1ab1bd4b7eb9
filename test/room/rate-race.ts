import fs from 'node:fs';
import path from 'node:path';
import { chaos } from '../processes/chaos.ts';
import { startFixture } from '../processes/child.ts';
import { amount } from '../run/amount.ts';

export const PROCESSES = amount(4, { long: 8 });
/** `<time> <time> <id>` and a line feed. */
const GRANT_LINE_BYTES = 13 + 1 + 13 + 1 + 36 + 1;
/** Small, so that generations end often. */
const SEGMENT_BYTES_MAX = 6_000;

export interface RaceResult {
  readonly granted: number;
  readonly ids: ReadonlySet<string>;
  /** The most grants within any window. */
  readonly most: number;
  /** Share of possible grants that were taken between the first and the last one. */
  readonly share: number;
  readonly summary: string;
}

/** Lets processes of one sender take all grants they can get while they are killed and stopped. */
export async function raceForGrants(options: {
  readonly parent: string;
  readonly directory: string;
  readonly lock: string;
  readonly limit: number;
  readonly windowMs: number;
  readonly kills: number;
  readonly stops: number;
}): Promise<RaceResult> {
  const { parent, directory, lock, limit, windowMs } = options;
  const fileOf = (racer: number): string => path.join(parent, `grants.${racer}`);
  const settings = JSON.stringify({ lock, limit, windowMs, segmentBytesMax: SEGMENT_BYTES_MAX });
  const files = Array.from({ length: PROCESSES }, (_, racer) => fileOf(racer));
  for (const file of files) fs.writeFileSync(file, '');
  const read = (): string[] => files.flatMap((file) => fs.readFileSync(file, 'utf8').split('\n').filter(Boolean));
  const chaosResult = await chaos({
    racers: PROCESSES,
    start: (racer) => startFixture('rate-race.mjs', [directory, fileOf(racer), settings]),
    kills: options.kills,
    stops: options.stops,
    progress: () => files.reduce((bytes, file) => bytes + fs.statSync(file).size, 0),
    progressStep: 2 * GRANT_LINE_BYTES,
  });
  await chaosResult.finish(() => fs.writeFileSync(path.join(parent, 'end'), ''));
  const grants = read().map((line) => {
    const [timeMs, hadMs, id = ''] = line.split(' ');
    return { timeMs: Number(timeMs), hadMs: Number(hadMs), id };
  });
  const times = grants.map(({ timeMs }) => timeMs).sort((a, b) => a - b);
  const most = mostWithin(times, windowMs);
  const spanMs = (times.at(-1) ?? 0) - (times[0] ?? 0);
  const possible = limit * (Math.floor(spanMs / windowMs) + 1);
  const lateMs = Math.max(...grants.map(({ timeMs, hadMs }) => hadMs - timeMs));
  return {
    granted: grants.length,
    ids: new Set(grants.map(({ id }) => id)),
    most,
    share: grants.length / possible,
    summary:
      `lock ${lock}: ${grants.length} of ${possible} granted in ${spanMs} ms to ${PROCESSES} processes, ` +
      `at most ${most} of ${limit} in ${windowMs} ms, used up to ${lateMs} ms later; ` +
      `${chaosResult.kills} kills, ${chaosResult.stops} stops`,
  };
}

function mostWithin(times: readonly number[], windowMs: number): number {
  let from = 0;
  let most = 0;
  for (const [at, time] of times.entries()) {
    while ((times[from] ?? time) < time - windowMs) from += 1;
    most = Math.max(most, at - from + 1);
  }
  return most;
}
