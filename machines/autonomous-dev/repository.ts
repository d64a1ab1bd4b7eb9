import path from 'node:path';
import { refPart } from '../shared/git-ref.ts';

/** The user's repository, and what a run creates in it. */
export interface Repository {
  /** Its main checkout, which is not touched. */
  readonly directory: string;
  /** The commit that the run starts from. */
  readonly base: string;
  /** The branch to deliver. */
  readonly branch: string;
  /** The id of the run. All its other branches and refs carry it, so that those of an earlier run are never taken for its own. */
  readonly run: string;
  /** Where checkouts are created, outside of the repository. */
  readonly workDirectory: string;
  /** A shell command that makes a new checkout ready for work, such as `npm ci`. */
  readonly setup?: string | undefined;
  /** How long the set-up may take. Default: 15. */
  readonly setupMinutes?: number | undefined;
}

/** A checkout on a branch of its own. */
export interface Checkout {
  readonly directory: string;
  readonly branch: string;
  /** The commit that it started from. */
  readonly base: string;
  /** The first of the ports that are its own. */
  readonly ports?: number;
}

/** The checkout of the branch to deliver. */
export function integrationDirectory({ workDirectory }: Repository): string {
  return path.join(workDirectory, 'integration');
}

/** The directory that holds the checkouts of the tasks. */
export function tasksDirectory({ workDirectory }: Repository): string {
  return path.join(workDirectory, 'tasks');
}

/** The branch of a task. */
export function taskBranch(repository: Repository, name: string): string {
  return `${taskBranches(repository)}${refPart(name)}`;
}

/** The prefix of the branches of all tasks. */
export function taskBranches({ branch, run }: Repository): string {
  return `${branch}.${run}.`;
}

/** The refs that a run keeps for itself. */
export function runRefs({ run }: Repository): string {
  return `refs/mailroom/${run}/`;
}
