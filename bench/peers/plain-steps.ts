import fs from 'node:fs';
import path from 'node:path';
import { transition } from 'xstate';
import { EVENT, type Counter } from '../counter.ts';

/** What anybody has to do who writes down each state of a machine: the step, its state as JSON, one append to an open file. */
export interface PlainSteps {
  readonly step: () => void;
  /** The same, and waits until the disk has it. */
  readonly stepSynced: () => Promise<void>;
  readonly close: () => void;
}

export function makePlainSteps(machine: Counter, directory: string): PlainSteps {
  const fd = fs.openSync(path.join(directory, 'journal.jsonl'), 'ax');
  let snapshot = machine.resolveState({ value: 'even', context: { handled: 0, points: 0, last: '' } });
  const step = (): void => {
    [snapshot] = transition(machine, snapshot, EVENT);
    fs.writeSync(fd, `${JSON.stringify(machine.getPersistedSnapshot(snapshot))}\n`);
  };
  return {
    step,
    stepSynced: () => {
      step();
      return new Promise((resolve, reject) => fs.fdatasync(fd, (error) => (error ? reject(error) : resolve())));
    },
    close: () => fs.closeSync(fd),
  };
}

/** A record as long as that of a commit of ours. */
const RECORD = Buffer.alloc(3_000, 'r');

/** One append of a whole record and one fdatasync, nothing else. */
export function makeSyncedAppends(directory: string): { readonly append: () => Promise<void>; readonly close: () => void } {
  const fd = fs.openSync(path.join(directory, 'records'), 'ax');
  return {
    append: () => {
      fs.writeSync(fd, RECORD, 0, RECORD.length);
      return new Promise((resolve, reject) => fs.fdatasync(fd, (error) => (error ? reject(error) : resolve())));
    },
    close: () => fs.closeSync(fd),
  };
}
