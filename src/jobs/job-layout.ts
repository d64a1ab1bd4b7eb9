import { basename } from 'node:path';
import type { FileSystem } from '../host/file-system.ts';
import type { ProcessIdentity, ProcessTree } from '../host/processes.ts';

/** No command is started more often than this, whoever asks. */
export const ATTEMPTS_MAX = 5;

/** In the environment of the command: the effect id, for a command that can tell what it did already. */
export const EFFECT_VARIABLE = 'MAILROOM_EFFECT_ID';
/** In the environment of all that an attempt starts: by it they are found. */
export const JOB_VARIABLE = 'MAILROOM_JOB';

/** One of the times that a job's command is started; the first is 1. */
export interface Attempt {
  readonly directory: string;
  readonly number: number;
}

export const specPath = (directory: string): string => `${directory}/spec.json`;
export const cancelledPath = (directory: string): string => `${directory}/cancelled.json`;
export const wrapperErrorsPath = (directory: string): string => `${directory}/wrapper.stderr`;
export const claimPath = ({ directory, number }: Attempt): string => `${directory}/${number}.process.json`;
export const exitPath = ({ directory, number }: Attempt): string => `${directory}/${number}.exit.json`;
export const inputPath = ({ directory, number }: Attempt): string => `${directory}/${number}.stdin`;
export const outputPath = ({ directory, number }: Attempt, stream: 'stdout' | 'stderr'): string =>
  `${directory}/${number}.${stream}`;

/** The processes of an attempt. */
export interface AttemptTree extends ProcessTree {
  readonly attempt: Attempt;
}

/** The wrapper and everything that it started. */
export function treeOf(attempt: Attempt, wrapper: ProcessIdentity): AttemptTree {
  return { attempt, leader: wrapper, mark: `${JOB_VARIABLE}=${jobVariable(attempt)}` };
}

/** Names the attempt, so that ending one that was lost never hits the next. */
function jobVariable({ directory, number }: Attempt): string {
  return `${basename(directory)}/${number}`;
}

/** What the wrapper's environment has beyond the host's. */
export function attemptEnvironment(attempt: Attempt): Record<string, string> {
  return { [EFFECT_VARIABLE]: basename(attempt.directory), [JOB_VARIABLE]: jobVariable(attempt) };
}

export function isCancelled(files: FileSystem, directory: string): boolean {
  return files.lstat(cancelledPath(directory)) !== undefined;
}
