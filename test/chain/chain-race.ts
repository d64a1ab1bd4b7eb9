import fs from 'node:fs';
import path from 'node:path';
import { chaos } from '../processes/chaos.ts';
import { startFixture, type Child } from '../processes/child.ts';
import { readWholeChain } from './chain-oracle.ts';
import { openSum, type SumOptions } from './sum-chain.ts';

const RACERS = 4;
const WON_LINE_BYTES = 65;

export type RaceOptions = Omit<SumOptions, 'directory'>;

export interface Race {
  readonly parent: string;
  readonly directory: string;
  readonly wonFile: (racer: number) => string;
  /** The hashes of all records that any racer believed it had won. */
  readonly won: () => string[];
  readonly start: (racer: number, how: { readonly mode: 'rejoin' | 'stop'; readonly recordsMax: number }) => Child;
}

export function prepareRace(parent: string, options: RaceOptions): Race {
  const directory = path.join(parent, 'chain');
  fs.mkdirSync(directory);
  const wonFile = (racer: number): string => path.join(parent, `won.${racer}`);
  const won = (): string[] => {
    const files = fs.readdirSync(parent).filter((name) => /^won\.\d+$/.test(name));
    return files.flatMap((name) => fs.readFileSync(path.join(parent, name), 'utf8').split('\n').filter(Boolean));
  };
  return {
    parent,
    directory,
    wonFile,
    won,
    start: (racer, { mode, recordsMax }) =>
      startFixture('chain-race.mjs', [directory, wonFile(racer), JSON.stringify(options), mode, String(recordsMax)]),
  };
}

export interface ChainRaceResult {
  /** Records that a racer believed it had won, without duplicates; and the number of duplicates. */
  readonly believed: number;
  readonly repeated: number;
  /** Records believed to be won that are not in the chain. If old segments are removed, only the sum can tell. */
  readonly lost: readonly string[];
  /** Each record adds one. */
  readonly sum: number;
  readonly seals: number;
  readonly kills: number;
  readonly summary: string;
}

/** Lets processes append to one chain while they are killed and stopped. Throws if the files are not one chain. */
export async function raceForChain(
  race: Race,
  options: RaceOptions & { readonly kills: number; readonly stops: number },
): Promise<ChainRaceResult> {
  fs.writeFileSync(path.join(race.parent, 'go'), '');
  const files = Array.from({ length: RACERS }, (_, racer) => race.wonFile(racer));
  for (const file of files) fs.writeFileSync(file, '');
  const result = await chaos({
    racers: RACERS,
    start: (racer) => race.start(racer, { mode: 'rejoin', recordsMax: 1_000_000 }),
    kills: options.kills,
    stops: options.stops,
    progress: () => files.reduce((bytes, file) => bytes + fs.statSync(file).size, 0),
    progressStep: WON_LINE_BYTES * 20,
  });
  await result.finish(() => fs.writeFileSync(path.join(race.parent, 'end'), ''));
  const won = race.won();
  const believed = new Set(won);
  const { sum, records, chain } = openSum({ ...options, directory: race.directory });
  chain.close();
  const whole = options.segmentsKept === undefined ? readWholeChain(race.directory) : undefined;
  const inChain = new Set(whole?.map(({ hash }) => hash));
  const seals = (records.at(-1)?.seq ?? 0) - sum();
  return {
    believed: believed.size,
    repeated: won.length - believed.size,
    lost: whole ? [...believed].filter((hash) => !inChain.has(hash)) : [],
    sum: sum(),
    // A seal and an opening record for each.
    seals: Math.floor(seals / 2),
    kills: result.kills,
    summary:
      `${believed.size} won, the sum is ${sum()}, ${Math.floor(seals / 2)} seals, ` +
      `${RACERS} racers, ${result.kills} kills, ${result.stops} stops`,
  };
}
