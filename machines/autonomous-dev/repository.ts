import path from 'node:path';
import { refPart } from '../shared/git-ref.ts';

/** The user's repository, and what a run makes in it. */
export interface Repository {
  /** Its main checkout, of which nothing is touched. */
  readonly directory: string;
  /** The commit that everything begins with. */
  readonly base: string;
  /** The branch that is delivered. */
  readonly branch: string;
  /** The run's own id: its other branches and refs carry it, so that those of an earlier run are never taken for its own. */
  readonly run: string;
  /** Where the checkouts are made, outside of the repository. */
  readonly workDirectory: string;
  /** A shell command that makes a new checkout ready for work, such as `npm ci`. */
  readonly setup?: string | undefined;
}

/** A checkout of its own, on a branch of its own. */
export interface Checkout {
  readonly directory: string;
  readonly branch: string;
  /** The commit that it began with. */
  readonly base: string;
}

/** Where what is delivered is put together. */
export function integrationDirectory({ workDirectory }: Repository): string {
  return path.join(workDirectory, 'integration');
}

/** The directory below which each task has its checkout. */
export function tasksDirectory({ workDirectory }: Repository): string {
  return path.join(workDirectory, 'tasks');
}

/** The branch of a task. */
export function taskBranch(repository: Repository, name: string): string {
  return `${taskBranches(repository)}${refPart(name)}`;
}

/** What the branches of all tasks begin with. */
export function taskBranches({ branch, run }: Repository): string {
  return `${branch}.${run}.`;
}

/** The refs that a run keeps for itself. */
export function runRefs({ run }: Repository): string {
  return `refs/mailroom/${run}/`;
}
