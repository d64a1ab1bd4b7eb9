import type * as library from '../src/index.ts';
import type * as runtime from '../src/runtime.ts';
import type * as workflow from '../src/workflow.ts';
import { median, quantile, ratios, type Samples } from './measure.ts';

/** One line of the table. */
export interface Result {
  readonly work: string;
  readonly floor: string;
  /** µs per operation, medians; a row without a floor has no `floorUs`. */
  readonly workUs: number;
  readonly floorUs?: number;
  /** What the goal is about, and its middle half over the rounds. */
  readonly value: number;
  readonly spread?: readonly [number, number];
  /** A row without a goal shows what the machine itself allows. */
  readonly goal?: Goal;
  readonly met?: boolean;
  readonly rounds: number;
  readonly note?: string;
}

/** `most`: the value may be at most that; `least`: it must be at least that. */
export type Goal = { readonly most: number; readonly unit: string } | { readonly least: number; readonly unit: string };

/** A row that could not be measured here, and what to do about it. */
export interface Skipped {
  readonly work: string;
  readonly skipped: string;
}

/** What one operation asks of the file system, call by call. */
export interface Counted {
  readonly work: string;
  readonly calls: Readonly<Record<string, number>>;
}

export type Outcome = Result | Skipped | Counted;

export interface Compared {
  readonly work: string;
  readonly floor: string;
  readonly samples: Samples;
  readonly floorSamples: Samples;
  readonly goal?: Goal;
  readonly note?: string;
}

/** How many times as long the work takes as its floor; for a `least` goal, how many times as fast it is. */
export function compare({ work, floor, samples, floorSamples, goal, note }: Compared): Result {
  const isFaster = goal !== undefined && 'least' in goal;
  const each = isFaster ? ratios(floorSamples, samples) : ratios(samples, floorSamples);
  return {
    work,
    floor,
    workUs: median(samples),
    floorUs: median(floorSamples),
    value: median(each),
    spread: [quantile(each, 0.25), quantile(each, 0.75)],
    rounds: each.length,
    ...(goal === undefined ? {} : { goal, met: isMet(median(each), goal) }),
    ...(note === undefined ? {} : { note }),
  };
}

export function isMet(value: number, goal: Goal): boolean {
  return 'most' in goal ? value <= goal.most : value >= goal.least;
}

/** A part of the benchmark, chosen with `--only`. */
export interface Row {
  readonly name: string;
  readonly run: (bench: Bench) => Promise<Outcome[]>;
}

/** What a row works with. */
export interface Bench {
  /** `smoke` only shows that everything runs; its figures mean nothing. */
  readonly size: 'full' | 'quick' | 'smoke';
  /** A directory that nothing else is in, never used before, on the file system measured. */
  readonly freshDirectory: () => string;
  readonly library: Library;
  /** What a program imports as `agent-mailroom/workflow` and `agent-mailroom/runtime`. */
  readonly workflows: WorkflowLibrary;
  /** The built library's own directory. */
  readonly dist: string;
  /** The program that runs JavaScript, for whole processes. */
  readonly node: string;
}

export type Library = typeof library;
export type WorkflowLibrary = typeof workflow & typeof runtime;
