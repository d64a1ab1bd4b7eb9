import { describe, expect, it } from 'vitest';
import { prepareRace, raceForChain } from './chain-race.ts';
import { scratchDirectories } from './scratch.ts';

const scratch = scratchDirectories('race');

describe('processes that race for one chain, for a long time', () => {
  it.each([
    { segmentBytesMax: 8192, durable: false },
    { segmentBytesMax: 2000, durable: true },
    { segmentBytesMax: 600, durable: false, segmentsKept: 2 },
  ])('make one chain, and none wrongly believes that it won: %j', async (options) => {
    const result = await raceForChain(prepareRace(scratch(), options), { ...options, kills: 200, stops: 300 });
    console.log(`${JSON.stringify(options)}: ${result.summary}`);
    expect(result.lost).toEqual([]);
    expect(result.repeated).toBe(0);
    expect(result.sum).toBeGreaterThanOrEqual(result.believed);
    expect(result.sum).toBeLessThanOrEqual(result.believed + result.kills);
  });
});
