import fs from 'node:fs';
import path from 'node:path';
import type { LoopInput } from '../autonomous-dev/input.ts';
import type { AgentProgram } from './agents.ts';

/**
 * The format of `run.json` and of the state of a run's workflow. Version 1 had no id of the run; version 2 did not test the base, and
 * kept nothing of how the programs are limited.
 */
export const RUN_VERSION = 3;

/** What a run was started with, kept in its directory, so that the run can resume after any interruption. */
export interface RunFile {
  readonly v: number;
  readonly name: string;
  readonly input: LoopInput;
  readonly agents: readonly AgentProgram[];
  /** What was passed to each agent's program; null where nothing was, and the default holds. */
  readonly limits?: AgentLimits;
  readonly inTmux: boolean;
  /** ISO 8601. */
  readonly startedAt?: string;
}

export interface AgentLimits {
  readonly agentMinutes: number | null;
  readonly tries: number | null;
}

export interface Run extends RunFile {
  readonly directory: string;
}

/** The runs in a directory, by name and number; those in creation, and directories of others, are left out. */
export function listRuns(runs: string): Run[] {
  const names = fs.existsSync(runs) ? fs.readdirSync(runs) : [];
  const found = names.flatMap((name) => readRun(path.join(runs, name)) ?? []);
  return found.sort((a, b) => a.name.localeCompare(b.name) || numberOf(a) - numberOf(b));
}

/** What people call a run: the name of its directory, such as `pay-in-two-parts-1`. */
export function runName({ directory }: Run): string {
  return path.basename(directory);
}

function numberOf(run: Run): number {
  return Number(/-(\d+)$/.exec(runName(run))?.[1] ?? 0);
}

export function hasEnded(run: Run): boolean {
  return outcomeOf(run) !== undefined;
}

/** How a run ended; undefined if it has not. */
export function outcomeOf({ directory }: Run): string | undefined {
  const file = path.join(directory, 'ended');
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim() : undefined;
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
  /** Lines of the plan. */
  readonly notes?: readonly string[];
  /** What will probably go wrong, one line each. */
  readonly warnings?: readonly string[];
}
