import fs from 'node:fs';
import path from 'node:path';
import { transition } from 'xstate';
import { EVENT, type Counter } from '../counter.ts';
import { COMMIT } from './plain-files.ts';

/** What anybody has to do who writes down each state of a machine: the step, its state as JSON, one append to an open file. */
export interface PlainSteps {
  readonly step: () => void;
  readonly close: () => void;
}

export function makePlainSteps(machine: Counter, directory: string): PlainSteps {
  const fd = fs.openSync(path.join(directory, 'journal.jsonl'), 'ax');
  let snapshot = machine.resolveState({ value: 'even', context: { handled: 0, points: 0, last: '' } });
  return {
    step: () => {
      [snapshot] = transition(machine, snapshot, EVENT);
      fs.writeSync(fd, `${JSON.stringify(machine.getPersistedSnapshot(snapshot))}\n`);
    },
    close: () => fs.closeSync(fd),
  };
}

/** One append of a whole record and one fdatasync, nothing else. */
export function makeSyncedAppends(directory: string): {
  readonly append: () => Promise<void>;
  readonly close: () => void;
} {
  const fd = fs.openSync(path.join(directory, 'records'), 'ax');
  return {
    append: () => {
      fs.writeSync(fd, COMMIT, 0, COMMIT.length);
      return new Promise((resolve, reject) => fs.fdatasync(fd, (error) => (error ? reject(error) : resolve())));
    },
    close: () => fs.closeSync(fd),
  };
}
