import fs from 'node:fs';
import path from 'node:path';
import type { CrashMatrixOptions, CrashReport, FinishedRun } from 'agent-mailroom/testing';
import { processesAbout } from './orphans.ts';

/** As they are built from fixtures/workflows. */
const FIXTURES = path.join(import.meta.dirname, '..', '..', 'build', 'fixtures');
const TRAIN = path.join(FIXTURES, 'train.mjs');

const worldOf = (directory: string): string => path.join(path.dirname(directory), 'world.txt');

/** What the train left outside, over all schedules: how often each kind of work was done again. */
export interface Repeats {
  activities: number;
  actions: number;
}

/** The system of three machines, and what must be true of what it did outside. */
export function trainMatrix(repeats: Repeats): CrashMatrixOptions {
  return {
    reuseProcesses: true,
    workflows: [
      { file: TRAIN, name: 'train', address: 'train', input: (directory: string) => ({ world: worldOf(directory) }) },
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
      if (of('COMMAND').length !== 1) faults.push(`the command was started ${of('COMMAND').length} times`);
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
  reuseProcesses: true,
  workflows: [{ file: path.join(FIXTURES, 'stage.mjs'), address: 'stage' }],
  agents: {
    bob: async ({ message }, bob) => {
      const answer = { READY: 'NOTE', SEEN: 'PAUSE', RESUMED: 'NOTE' }[message.content];
      if (answer !== undefined) await bob.send({ to: 'stage', type: answer, content: '' });
    },
  },
};

export function printReport(name: string, report: CrashReport): void {
  const { schedules, kills, places, seed, counts, failures } = report;
  const { steps, taken, sent, timers } = counts;
  console.log(
    `${name}: ${schedules} schedules, ${kills} kills at ${places} places, seed ${seed}: ` +
      `${steps} steps, ${taken} messages taken, ${sent} sent, ${timers} timers; ${failures.length} failures`,
  );
}
