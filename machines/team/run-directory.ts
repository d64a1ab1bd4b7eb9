import fs from 'node:fs';
import path from 'node:path';
import type { LoopInput } from '../autonomous-dev/input.ts';
import type { AgentProgram } from './agents.ts';

/** The format of `run.json` and of the state of a run's workflow. Version 1 had no id of the run. */
export const RUN_VERSION = 2;

/** What a run was started with, kept in its directory, so that the run can resume after any interruption. */
export interface RunFile {
  readonly v: number;
  readonly name: string;
  readonly input: LoopInput;
  readonly agents: readonly AgentProgram[];
  readonly inTmux: boolean;
}

export interface Run extends RunFile {
  readonly directory: string;
}

/** The last run of that name that matches, ended or not. */
export function findRun(runs: string, name: string, isWanted: (run: Run) => boolean): Run | undefined {
  const found = numbersOf(runs, name).flatMap((number) => readRun(path.join(runs, `${name}-${number}`)) ?? []);
  return found.filter(isWanted).at(-1);
}

export function hasEnded({ directory }: Run): boolean {
  return fs.existsSync(path.join(directory, 'ended'));
}

export function markEnded({ directory }: Run, outcome: string): void {
  fs.writeFileSync(path.join(directory, 'ended'), `${outcome}\n`);
}

/** The directory of the last run of that name, which may still be in creation. */
export function lastDirectory(runs: string, name: string): string | undefined {
  const number = numbersOf(runs, name).at(-1);
  return number === undefined ? undefined : path.join(runs, `${name}-${number}`);
}

/** The directory for the next run of that name; nothing is created. */
export function nextDirectory(runs: string, name: string): string {
  return path.join(runs, `${name}-${(numbersOf(runs, name).at(-1) ?? 0) + 1}`);
}

/** Writes `run.json`, whole or not at all. At this rename the run exists. */
export function writeRun({ directory, ...run }: Run): void {
  const file = path.join(directory, 'run.json');
  fs.writeFileSync(`${file}.new`, `${JSON.stringify(run, null, 2)}\n`);
  fs.renameSync(`${file}.new`, file);
}

function readRun(directory: string): Run | undefined {
  try {
    const run = JSON.parse(fs.readFileSync(path.join(directory, 'run.json'), 'utf8')) as RunFile;
    return { ...run, directory };
  } catch {
    // A run whose creation was killed.
    return undefined;
  }
}

function numbersOf(runs: string, name: string): number[] {
  const names = fs.existsSync(runs) ? fs.readdirSync(runs) : [];
  return names
    .filter((one) => one.startsWith(`${name}-`) && /^\d+$/.test(one.slice(name.length + 1)))
    .map((one) => Number(one.slice(name.length + 1)))
    .sort((a, b) => a - b);
}

/** A run to be created: its facts, and what has to be created first. */
export interface PlannedRun {
  readonly run: Run;
  readonly make: () => Promise<LoopInput>;
}
