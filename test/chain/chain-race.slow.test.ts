import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { chaos } from '../processes/chaos.ts';
import { startFixture, until, type Child } from '../processes/child.ts';
import { readWholeChain } from './chain-oracle.ts';
import { scratchDirectories } from './scratch.ts';
import { openSum, type SumOptions } from './sum-chain.ts';

const scratch = scratchDirectories('race');
const RACERS = 4;

describe('processes that race for one chain', () => {
  it.each([
    { segmentBytesMax: 4096, durable: false },
    { segmentBytesMax: 4096, durable: true },
    { segmentBytesMax: 1000, durable: false, segmentsKept: 2 },
  ])('make one chain under SIGKILL and SIGSTOP, and none believes wrongly that it won: %j', async (options) => {
    const race = prepareRace(options);
    fs.writeFileSync(path.join(race.parent, 'go'), '');
    const result = await chaos({
      racers: RACERS,
      start: (racer) => race.start(racer, { mode: 'rejoin', recordsMax: 1_000_000 }),
      kills: 12,
      stops: 15,
      progress: () => race.wonFiles().reduce((bytes, file) => bytes + fs.statSync(file).size, 0),
      progressStep: 65 * 20,
    });
    await result.finish(() => fs.writeFileSync(path.join(race.parent, 'end'), ''));
    const believed = race.won();
    expect(new Set(believed).size).toBe(believed.length);
    const { sum, records, chain } = openSum({ ...options, directory: race.directory });
    chain.close();
    console.log(
      `${JSON.stringify(options)}: ${believed.length} won, the sum is ${sum()}, the last record ${records.at(-1)?.seq}, ` +
        `${RACERS} racers, ${result.kills} kills, ${result.stops} stops`,
    );
    // Each record adds one. One that nobody wrote down was won by a process that was killed before it could.
    expect(sum()).toBeGreaterThanOrEqual(believed.length);
    expect(sum()).toBeLessThanOrEqual(believed.length + result.kills);
    if ('segmentsKept' in options) return;
    const whole = readWholeChain(race.directory);
    const inChain = new Set(whole.map(({ hash }) => hash));
    expect(believed.filter((hash) => !inChain.has(hash))).toEqual([]);
    expect(whole.filter(({ seal }) => seal).length).toBeGreaterThan(5);
  });

  it('never both stop when two owners fence each other', async () => {
    const ends = { bothWentOn: 0, oneStopped: 0 };
    for (let round = 0; round < 6; round++) {
      const race = prepareRace({ segmentBytesMax: 4096, durable: false });
      const pair = [0, 1].map((racer) => race.start(racer, { mode: 'stop', recordsMax: 60 }));
      await until('both are ready', () => [0, 1].every((racer) => fs.existsSync(`${race.wonFile(racer)}.ready`)));
      fs.writeFileSync(path.join(race.parent, 'go'), '');
      const codes = (await Promise.all(pair.map(({ ended }) => ended))).map(({ code }) => code);
      expect([
        [0, 0],
        [0, 7],
      ]).toContainEqual(codes.sort((a, b) => Number(a) - Number(b)));
      if (codes.includes(7)) ends.oneStopped += 1;
      else ends.bothWentOn += 1;
      const inChain = new Set(readWholeChain(race.directory).map(({ hash }) => hash));
      expect(race.won().filter((hash) => !inChain.has(hash))).toEqual([]);
    }
    console.log(JSON.stringify(ends));
    expect(ends.oneStopped).toBeGreaterThan(0);
  });
});

interface Race {
  readonly parent: string;
  readonly directory: string;
  readonly wonFile: (racer: number) => string;
  readonly wonFiles: () => string[];
  readonly won: () => string[];
  readonly start: (racer: number, how: { readonly mode: 'rejoin' | 'stop'; readonly recordsMax: number }) => Child;
}

function prepareRace(options: Omit<SumOptions, 'directory'>): Race {
  const parent = scratch();
  const directory = path.join(parent, 'chain');
  fs.mkdirSync(directory);
  const wonFile = (racer: number): string => path.join(parent, `won.${racer}`);
  const wonFiles = (): string[] =>
    fs.readdirSync(parent).flatMap((name) => (/^won\.\d+$/.test(name) ? [path.join(parent, name)] : []));
  return {
    parent,
    directory,
    wonFile,
    wonFiles,
    won: () => wonFiles().flatMap((file) => fs.readFileSync(file, 'utf8').split('\n').filter(Boolean)),
    start: (racer, { mode, recordsMax }) =>
      startFixture('chain-race.mjs', [directory, wonFile(racer), JSON.stringify(options), mode, String(recordsMax)]),
  };
}
