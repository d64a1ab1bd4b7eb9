import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../processes/child.ts';
import { amount } from '../run/amount.ts';
import { readWholeChain } from './chain-oracle.ts';
import { prepareRace, raceForChain } from './chain-race.ts';
import { scratchDirectories } from './scratch.ts';

const DISTURBED = { kills: amount(4, { long: 12 }), stops: amount(8, { long: 15 }) };
const ROUNDS_MAX = amount(6, { long: 20 });
const ROUNDS_MIN = amount(2, { long: 6 });

const scratch = scratchDirectories('race');

describe('processes that race for one chain', () => {
  it.each([
    { segmentBytesMax: 4096, durable: false },
    { segmentBytesMax: 4096, durable: true },
    { segmentBytesMax: 1000, durable: false, segmentsKept: 2 },
  ])('make one chain under SIGKILL and SIGSTOP, and none wrongly believes that it won: %j', async (options) => {
    const result = await raceForChain(prepareRace(scratch(), options), { ...options, ...DISTURBED });
    console.log(`${JSON.stringify(options)}: ${result.summary}`);
    expect(result.lost).toEqual([]);
    expect(result.repeated).toBe(0);
    expect(result.sum).toBeGreaterThanOrEqual(result.believed);
    // A record that no racer reported was won by a process that was killed before it could report it.
    expect(result.sum).toBeLessThanOrEqual(result.believed + result.kills);
    expect(result.seals).toBeGreaterThan(5);
  });

  it('never both stop if two owners fence each other', async () => {
    const ends = { bothWentOn: 0, oneStopped: 0 };
    // Whether they meet is up to the machine; a round in which they do not proves nothing.
    for (let round = 0; round < ROUNDS_MIN || (ends.oneStopped === 0 && round < ROUNDS_MAX); round++) {
      const race = prepareRace(scratch(), { segmentBytesMax: 4096, durable: false });
      const pair = [0, 1].map((racer) => race.start(racer, { mode: 'stop', recordsMax: 60 }));
      await until('both are ready', () => [0, 1].every((racer) => fs.existsSync(`${race.wonFile(racer)}.ready`)));
      fs.writeFileSync(path.join(race.parent, 'go'), '');
      const codes = (await Promise.all(pair.map(({ ended }) => ended))).map(({ code }) => Number(code));
      expect(['0 0', '0 7']).toContain(codes.sort((a, b) => a - b).join(' '));
      if (codes.includes(7)) ends.oneStopped += 1;
      else ends.bothWentOn += 1;
      const inChain = new Set(readWholeChain(race.directory).map(({ hash }) => hash));
      expect(race.won().filter((hash) => !inChain.has(hash))).toEqual([]);
    }
    console.log(JSON.stringify(ends));
    expect(ends.oneStopped).toBeGreaterThan(0);
  });
});
