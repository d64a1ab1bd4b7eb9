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

/** What lies in `spec.json`. */
interface StoredSpec {
  readonly v: 1;
  readonly spec: JobSpec;
  /** Absolute. */
  readonly cwd: string;
}

/** What is to be run, with nothing left to the process that runs it. */
export interface Command {
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
 * Puts up what the job is to run, once. Throws InvalidInput for what no system would run, Conflict when the directory has
 * another one.
 */
export async function writeSpec(host: Host, directory: string, given: JobSpec): Promise<void> {
  const { files } = host;
  const spec = normalSpec(given);
  const stored: StoredSpec = { v: 1, spec, cwd: resolve(spec.cwd ?? '.') };
  if (Buffer.byteLength(JSON.stringify(stored)) >= JOB_FILE_BYTES_MAX) {
    throw new InvalidInput(`The command "${spec.file}" is too long: the limit is ${JOB_FILE_BYTES_MAX} bytes.`, {
      hint: 'Give it its input in a file.',
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
    `The job ${directory} is another command: it runs "${found?.file}", asked for was "${spec.file}".`,
    {
      hint: `An effect id stands for one command for ever; compare with ${specPath(directory)}.`,
    },
  );
}

/** What the job was asked for, by whoever asked first; undefined when nobody has. Throws JobFailed for a file that makes no sense. */
export function readSpec(host: Host, directory: string): JobSpec | undefined {
  return readStored(host, directory)?.spec;
}

/** Throws JobFailed for a file that makes no sense, and when there is none. */
export function readCommand(host: Host, directory: string): Command | undefined {
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

/** Equal specs have equal JSON. */
function normalSpec(spec: JobSpec): JobSpec {
  const fault = faultOf(spec);
  if (fault !== undefined) {
    throw new InvalidInput(`The command ${JSON.stringify(spec.file)} cannot be run: ${fault}.`, {
      hint: 'Correct what the machine gives to command(…).',
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

/** Others may have written it, and a machine's author may have cast it, so every field is looked at. */
function faultOf({ file, args, cwd, env = {}, stdin, ...limits }: Partial<JobSpec>): string | undefined {
  if (!isText(file) || file === '') return 'its file is no text, or none without a NUL character';
  if (!Array.isArray(args) || !args.every(isText)) return 'its args are no list of texts without a NUL character';
  if (cwd !== undefined && (!isText(cwd) || cwd === '')) return 'its cwd is no path';
  if (typeof env !== 'object' || env === null) return 'its env is no object';
  for (const [name, value] of Object.entries(env)) {
    if (!isText(value) || !isText(name) || name === '' || name.includes('=')) return `its env has a bad "${name}"`;
    if (name === EFFECT_VARIABLE || name === JOB_VARIABLE) return `its env has ${name}, which Mailroom sets itself`;
  }
  if (stdin !== undefined && typeof stdin !== 'string') return 'its stdin is no text';
  const { timeoutMs, idleTimeoutMs, outputBytesMax } = limits;
  for (const [name, value] of Object.entries({ timeoutMs, idleTimeoutMs, outputBytesMax })) {
    if (value === undefined || (typeof value === 'number' && value > 0 && Number.isFinite(value))) continue;
    return `its ${name} is ${String(value)}, expected a number above 0`;
  }
  return undefined;
}

const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0');
