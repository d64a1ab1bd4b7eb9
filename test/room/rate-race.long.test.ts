import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchDirectories } from '../chain/scratch.ts';
import { PROCESSES, raceForGrants } from './rate-race.ts';

const scratch = scratchDirectories('rate-race');

describe(`${PROCESSES} processes of one sender, for a long time`, () => {
  it.each(['lockfile', 'always'])('never exceed the limit and get most of it, lock: %s', async (lock) => {
    const parent = scratch();
    const directory = path.join(parent, 'actor');
    fs.mkdirSync(directory);
    const limit = { limit: 30, windowMs: 1_000 };
    const race = await raceForGrants({ parent, directory, lock, ...limit, kills: 200, stops: 400 });
    console.log(race.summary);
    expect(race.most).toBeLessThanOrEqual(limit.limit);
    expect(race.share).toBeGreaterThanOrEqual(0.8);
    expect(race.ids.size).toBe(race.granted);
  });
});
