import fs from 'node:fs';
import path from 'node:path';
import { crashMatrix, type CrashMatrixOptions, type CrashReport, type FinishedRun } from 'agent-mailroom/testing';
import { isTried, REAL_KILL_STRIDE } from '../processes/stride.ts';
import { processesAbout } from './orphans.ts';

/** As they are built from fixtures/workflows: a process that is started loads them sooner. */
const BUILT = path.join(import.meta.dirname, '..', '..', 'build', 'fixtures');
const TRAIN = path.join(BUILT, 'train.mjs');

const worldOf = (directory: string): string => path.join(path.dirname(directory), 'world.txt');

/** What the train did outside, over all schedules: how often each kind of work was repeated. */
export interface Repeats {
  activities: number;
  actions: number;
}

/**
 * The system of three machines, and what must be true of what it did outside. `train` has a command, which no simulated process
 * starts; in `trainAlone` an activity has its place.
 */
export function trainMatrix(repeats: Repeats, name: 'train' | 'trainAlone'): CrashMatrixOptions {
  return {
    kills: 'simulated',
    realStride: REAL_KILL_STRIDE,
    reuseProcesses: true,
    workflows: [
      { file: TRAIN, name, address: 'train', input: (directory: string) => ({ world: worldOf(directory) }) },
      { file: TRAIN, name: 'reviewer', address: 'reviewer' },
    ],
    agents: {
      logbook: () => {},
      bob: async (_mail, bob) => {
        await bob.send({ to: 'train', type: 'GO', content: 'go', data: { n: 7 } });
      },
    },
    check: ({ room }: FinishedRun) => {
      const faults: string[] = [];
      const lines = fs.readFileSync(worldOf(room.directory), 'utf8').trim().split('\n');
      const of = (kind: string): string[] => lines.filter((line) => line.startsWith(kind));
      const activities = of('ACTIVITY');
      const actions = of('ACTION');
      if (name === 'train' && of('COMMAND').length !== 1)
        faults.push(`the command was started ${of('COMMAND').length} times`);
      if (new Set(activities).size !== 1) faults.push(`the activity has the effect ids ${activities.join(', ')}`);
      if (new Set(actions).size !== 2) faults.push(`the actions have the effect ids ${actions.join(', ')}`);
      repeats.activities += activities.length - 1;
      repeats.actions += actions.length - 2;
      const orphans = processesAbout(room.directory);
      if (orphans.length > 0) faults.push(`${orphans.length} processes are left: ${orphans.join('; ')}`);
      return faults;
    },
  };
}

/** Nested parallel states, deep history and timers that are set again. */
export const STAGE_MATRIX: CrashMatrixOptions = {
  kills: 'simulated',
  realStride: REAL_KILL_STRIDE,
  reuseProcesses: true,
  workflows: [{ file: path.join(BUILT, 'stage.mjs'), address: 'stage' }],
  agents: {
    bob: async ({ message }, bob) => {
      const answer = { READY: 'NOTE', SEEN: 'PAUSE', RESUMED: 'NOTE' }[message.content];
      if (answer !== undefined) await bob.send({ to: 'stage', type: answer, content: '' });
    },
  },
};

/** Kills at one of so many places only, and the seed says at which. */
export async function atOneOf(stride: number, options: CrashMatrixOptions): Promise<CrashMatrixOptions> {
  if (stride === 1) return options;
  const { places } = await crashMatrix({ ...options, only: [], pairs: 0, triples: 0 });
  const all = Array.from({ length: places }, (_, index) => index + 1);
  return { ...options, only: all.filter((place) => isTried(place, stride)).map((place) => [place]) };
}

export function printReport(name: string, report: CrashReport): void {
  const { schedules, kills, realKills, skipped, places, seed, counts, failures } = report;
  const { steps, taken, sent, timers } = counts;
  console.log(
    `${name}: ${schedules} schedules at ${places} places, ${kills - realKills} simulated and ${realKills} real kills, ` +
      `${skipped} schedules left to the long test, MAILROOM_SEED=${seed}: ` +
      `${steps} steps, ${taken} messages taken, ${sent} sent, ${timers} timers; ${failures.length} failures`,
  );
}
