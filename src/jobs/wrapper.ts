import { constants } from 'node:fs';
import { errnoOf } from '../host/file-system.ts';
import { createFile } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { endTree, GRACE_MS } from './end-tree.ts';
import {
  type Attempt,
  claimAttempt,
  type ExitRecord,
  inputPath,
  isCancelled,
  outputPath,
  publishExit,
  treeOf,
  LOOKS,
} from './job-files.ts';
import { type Command, readCommand } from './job-spec.ts';
import { createGrowingWait } from '../host/growing-wait.ts';
import { keepSigning } from './sign-of-life.ts';

/** How long a full disk may keep the exit from being put up. */
const EXIT_PATIENCE_MS = 600_000;

/**
 * Runs the command of one attempt, if nobody else does, and puts up how it ended. For a process that leads its session
 * and that no signal but SIGKILL ends.
 */
export async function runWrapper(host: Host, attempt: Attempt): Promise<void> {
  const { clock, files, processes } = host;
  const self = processes.self();
  // Everything in the session is ended in the end: it may not be somebody's terminal.
  if (self.startTime !== '' && processes.sessionLeader().pid !== self.pid) {
    throw new TypeError(`process ${self.pid} does not lead its session; only a host starts a wrapper`);
  }
  const command = readCommand(host, attempt.directory);
  if (!command || !(await claimAttempt(host, attempt))) return;
  // After the claim: who cancels first says so and then looks for claims.
  if (isCancelled(files, attempt.directory)) return;

  const startedMs = clock.uptimeMs();
  const startedAt = new Date(clock.now()).toISOString();
  const end = await runCommand(host, attempt, command);
  const swept = await endTree(host, treeOf(attempt, self), { scope: 'session', graceMs: 0 });
  const endedAt = new Date(clock.now()).toISOString();
  await publishPatiently(host, attempt, {
    ...end,
    startedAt,
    endedAt,
    durationMs: clock.uptimeMs() - startedMs,
    swept,
  });
}

type End = Pick<ExitRecord, 'exitCode' | 'signal' | 'timedOut' | 'limit' | 'notStarted'>;

async function runCommand(host: Host, attempt: Attempt, command: Command): Promise<End> {
  const { files } = host;
  const opened: number[] = [];
  const open = (stream: 'stdout' | 'stderr'): number => {
    const fd = files.open(outputPath(attempt, stream), OPEN_OUTPUT, 0o600);
    opened.push(fd);
    return fd;
  };
  try {
    const stdin = openInput(host, attempt, command);
    if (stdin !== undefined) opened.push(stdin);
    const outputs = { stdout: open('stdout'), stderr: open('stderr') };
    const end = await runLimited(host, attempt, { command, stdin, ...outputs });
    // So that an exit is not on the disk without what was written before it; the command has run even where that fails.
    for (const fd of Object.values(outputs)) await files.fdatasync(fd).catch(() => {});
    return end;
  } catch (error) {
    return { exitCode: null, signal: null, timedOut: false, notStarted: whyNotStarted(host, command, error) };
  } finally {
    for (const fd of opened) files.close(fd);
  }
}

/** Appends, because the command may open its own output again, by name, and would then write over its beginning. */
const OPEN_OUTPUT =
  constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW;

/** A file and no pipe: it is there whole before the command is, and nobody has to stay to write it. */
function openInput({ files }: Host, attempt: Attempt, { stdin }: Command): number | undefined {
  if (stdin === undefined) return undefined;
  const path = inputPath(attempt);
  createFile(files, path, Buffer.from(stdin), 0o600);
  return files.open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
}

async function runLimited(
  host: Host,
  attempt: Attempt,
  streams: { command: Command; stdin: number | undefined; stdout: number; stderr: number },
): Promise<End> {
  const { command, stdin, stdout, stderr } = streams;
  const { file, args, cwd, env } = command;
  const running = host.processes.runInto(file, args, { cwd, env, stdin, stdout, stderr });
  const over = new AbortController();
  const { signal } = over;
  const outputs = [stdout, stderr];
  const cancelled = keepSigning(host, attempt, signal).then(() => 'cancelled' as const);
  const limits = isLimited(command) ? [limitPassed(host, { command, outputs, signal })] : [];
  const first = await Promise.race([running, cancelled, ...limits]).finally(() => over.abort());
  if (typeof first === 'object') return { ...first, timedOut: false };
  await endTree(host, treeOf(attempt, host.processes.self()), { scope: 'marked', graceMs: GRACE_MS });
  const end = { ...(await running), timedOut: first === 'time' || first === 'idle' };
  if (first === 'output') cutOutputs(host, { outputs, bytesMax: command.outputBytesMax ?? 0 });
  return first === 'time' || first === 'cancelled' ? end : { ...end, limit: first };
}

function whyNotStarted(host: Host, { file, cwd }: Command, error: unknown): string {
  const errno = errnoOf(error) ?? String(error);
  // With the dot, a link to a directory counts as one.
  if (host.files.lstat(`${cwd}/.`)?.kind !== 'directory') {
    return `The command "${file}" could not be started: its working directory ${cwd} is no directory (${errno}).`;
  }
  if (errno === 'ENOENT') {
    return `The command "${file}" could not be started in ${cwd}: there is no such file, nor is it in PATH (ENOENT).`;
  }
  return `The command "${file}" could not be started in ${cwd}: ${error instanceof Error ? error.message : errno}.`;
}

/** Without the exit the command would count as lost, and run again: so a full disk is waited for. */
async function publishPatiently(host: Host, attempt: Attempt, record: ExitRecord): Promise<void> {
  const startMs = host.clock.uptimeMs();
  const pause = createGrowingWait(host.clock, LOOKS);
  for (;;) {
    try {
      await publishExit(host, attempt, record);
      return;
    } catch (error) {
      // The directory was removed: nobody asks any more.
      if (errnoOf(error) === 'ENOENT' || host.clock.uptimeMs() - startMs > EXIT_PATIENCE_MS) throw error;
    }
    await pause();
  }
}

/** A longer sleep would miss that the machine was asleep meanwhile. */
const SLEEP_MS_MAX = 1_000;
/** How long a command may go on past what it may write, or after it wrote something, before that is noticed. */
const LOOK_MS = 100;

/** What a command is ended for. */
export type Limit = 'time' | 'idle' | 'output';

function isLimited({ timeoutMs, idleTimeoutMs, outputBytesMax }: Command): boolean {
  return timeoutMs !== undefined || idleTimeoutMs !== undefined || outputBytesMax !== undefined;
}

/**
 * Resolves when a running command passes one of its limits; with the signal also before. Counts the time that the machine sleeps. `outputs` are the open descriptors that it writes to.
 */
async function limitPassed(
  { clock, files }: Host,
  { command, outputs, signal }: { command: Command; outputs: readonly number[]; signal: AbortSignal },
): Promise<Limit> {
  const { timeoutMs = Infinity, idleTimeoutMs = Infinity, outputBytesMax = Infinity } = command;
  const looks = idleTimeoutMs < Infinity || outputBytesMax < Infinity;
  const startMs = clock.uptimeMs();
  let wroteMs = startMs;
  let written = 0;
  for (;;) {
    const nowMs = clock.uptimeMs();
    if (signal.aborted || nowMs - startMs >= timeoutMs) return 'time';
    if (looks) {
      const sizes = outputs.map((fd) => files.fstat(fd).size);
      if (sizes.some((size) => size > outputBytesMax)) return 'output';
      const total = sizes.reduce((sum, size) => sum + size, 0);
      if (total !== written) wroteMs = nowMs;
      written = total;
      if (nowMs - wroteMs >= idleTimeoutMs) return 'idle';
    }
    const leftMs = Math.min(timeoutMs - (nowMs - startMs), idleTimeoutMs - (nowMs - wroteMs));
    await clock.sleep(Math.min(leftMs, looks ? LOOK_MS : SLEEP_MS_MAX), signal);
  }
}

/** Gives the disk back what a command wrote beyond its limit before that was noticed. */
function cutOutputs({ files }: Host, { outputs, bytesMax }: { outputs: readonly number[]; bytesMax: number }): void {
  for (const fd of outputs) if (files.fstat(fd).size > bytesMax) files.truncate(fd, bytesMax);
}
