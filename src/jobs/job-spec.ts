import { dirname, resolve } from 'node:path';
import { Conflict, InvalidInput } from '../errors.ts';
import { ensureDirectory, syncDirectory } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import {
  EFFECT_VARIABLE,
  JOB_FILE_BYTES_MAX,
  JOB_VARIABLE,
  publishJobFile,
  readJobFile,
  specPath,
} from './job-files.ts';
import type { JobSpec } from './job.ts';

/** The content of `spec.json`. */
interface StoredSpec {
  readonly v: 1;
  readonly spec: JobSpec;
  /** The absolute working directory. */
  readonly cwd: string;
}

/** The command to run, complete: nothing depends on the process that runs it, except its environment. */
export interface JobCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly idleTimeoutMs: number | undefined;
  readonly outputBytesMax: number | undefined;
}

/**
 * Publishes the command of a job. Idempotent. Throws InvalidInput for a command that no system could run, Conflict if the job
 * has another command.
 */
export async function writeSpec(host: Host, directory: string, given: JobSpec): Promise<void> {
  const { files } = host;
  const spec = normalSpec(given);
  const stored: StoredSpec = { v: 1, spec, cwd: resolve(spec.cwd ?? '.') };
  if (Buffer.byteLength(JSON.stringify(stored)) >= JOB_FILE_BYTES_MAX) {
    throw new InvalidInput(`The command "${spec.file}" is too long: the limit is ${JOB_FILE_BYTES_MAX} bytes.`, {
      hint: 'Pass its input in a file.',
    });
  }
  if (readStored(host, directory) === undefined) {
    ensureDirectory(files, dirname(directory));
    if (ensureDirectory(files, directory)) await syncDirectory(files, dirname(directory));
    if (await publishJobFile(host, specPath(directory), stored)) return;
  }
  const found = readStored(host, directory)?.spec;
  if (JSON.stringify(found) === JSON.stringify(spec)) return;
  throw new Conflict(
    `The job ${directory} has another command: it runs "${found?.file}", but "${spec.file}" was requested.`,
    {
      hint: `An effect id always stands for one command; compare with ${specPath(directory)}.`,
    },
  );
}

/** The command that was first requested of a job; undefined if there is none. Throws JobFailed for a corrupt file. */
export function readSpec(host: Host, directory: string): JobSpec | undefined {
  return readStored(host, directory)?.spec;
}

/** The complete command of a job; undefined if there is none. Throws JobFailed for a corrupt file. */
export function readCommand(host: Host, directory: string): JobCommand | undefined {
  const stored = readStored(host, directory);
  if (!stored) return undefined;
  const { file, args, env = {}, stdin, timeoutMs, idleTimeoutMs, outputBytesMax } = stored.spec;
  return { file, args, env, stdin, timeoutMs, idleTimeoutMs, outputBytesMax, cwd: stored.cwd };
}

function readStored(host: Host, directory: string): StoredSpec | undefined {
  return readJobFile(host.files, specPath(directory), ({ v, spec, cwd }) => {
    if (v !== 1 || !isText(cwd) || typeof spec !== 'object' || spec === null) return undefined;
    if (faultOf(spec) !== undefined) return undefined;
    return { v, spec: normalSpec(spec as JobSpec), cwd };
  });
}

/** Normalizes a spec, so that equal specs have equal JSON. Throws InvalidInput. */
function normalSpec(spec: JobSpec): JobSpec {
  const fault = faultOf(spec);
  if (fault !== undefined) {
    throw new InvalidInput(`The command ${JSON.stringify(spec.file)} cannot be run: ${fault}.`, {
      hint: 'Correct what the machine passes to command(…).',
    });
  }
  const { file, args, cwd, env, stdin, timeoutMs, idleTimeoutMs, outputBytesMax } = spec;
  return {
    file,
    args: [...args],
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env: Object.fromEntries(Object.entries(env).sort(byName)) }),
    ...(stdin === undefined ? {} : { stdin }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    ...(outputBytesMax === undefined ? {} : { outputBytesMax }),
  };
}

const byName = ([a]: [string, string], [b]: [string, string]): number => (a < b ? -1 : 1);

/** Why a spec is invalid; undefined if it is valid. Checks every field, because the file may be forged, or an author's types cast. */
function faultOf({ file, args, cwd, env = {}, stdin, ...limits }: Partial<JobSpec>): string | undefined {
  if (!isText(file) || file === '') return 'its file is not a text without a NUL character';
  if (!Array.isArray(args) || !args.every(isText)) return 'its args are not a list of texts without a NUL character';
  if (cwd !== undefined && (!isText(cwd) || cwd === '')) return 'its cwd is not a path';
  if (typeof env !== 'object' || env === null) return 'its env is not an object';
  for (const [name, value] of Object.entries(env)) {
    if (!isText(value) || !isText(name) || name === '' || name.includes('=')) return `its env has a bad "${name}"`;
    if (name === EFFECT_VARIABLE || name === JOB_VARIABLE) return `its env has ${name}, which Mailroom sets itself`;
  }
  if (stdin !== undefined && typeof stdin !== 'string') return 'its stdin is not a text';
  const { timeoutMs, idleTimeoutMs, outputBytesMax } = limits;
  for (const [name, value] of Object.entries({ timeoutMs, idleTimeoutMs, outputBytesMax })) {
    if (value === undefined || (typeof value === 'number' && value > 0 && Number.isFinite(value))) continue;
    return `its ${name} is ${String(value)}, expected a number above 0`;
  }
  return undefined;
}

const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0');
