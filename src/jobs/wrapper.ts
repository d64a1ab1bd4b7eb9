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
import { type JobCommand, readCommand } from './job-spec.ts';
import { createGrowingWait } from '../host/growing-wait.ts';
import { keepSigning } from './sign-of-life.ts';

/** How long a full disk may delay the publication of the exit. */
const EXIT_PATIENCE_MS = 600_000;

/**
 * Runs the command of one attempt, unless another wrapper has claimed it, and publishes how it ended. The calling process must
 * lead its session and ignore all signals that can be ignored.
 */
export async function runWrapper(host: Host, attempt: Attempt): Promise<void> {
  const { clock, files, processes } = host;
  const self = processes.self();
  // Everything in the session is ended at the end, so it must not be the session of a terminal.
  if (self.startTime !== '' && processes.sessionLeader().pid !== self.pid) {
    throw new TypeError(`process ${self.pid} does not lead its session; only a host starts a wrapper`);
  }
  const command = readCommand(host, attempt.directory);
  if (!command || !(await claimAttempt(host, attempt))) return;
  // Checked after the claim, because cancelling first publishes `cancelled.json` and then reads the claims.
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

type AttemptEnd = Pick<ExitRecord, 'exitCode' | 'signal' | 'timedOut' | 'limit' | 'notStarted'>;

async function runCommand(host: Host, attempt: Attempt, command: JobCommand): Promise<AttemptEnd> {
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
    // The output is durable before the exit is. A failure here is ignored, because the command has run.
    for (const fd of Object.values(outputs)) await files.fdatasync(fd).catch(() => {});
    return end;
  } catch (error) {
    return { exitCode: null, signal: null, timedOut: false, notStarted: whyNotStarted(host, command, error) };
  } finally {
    for (const fd of opened) files.close(fd);
  }
}

/** Append mode, because the command may open its own output again by name, and would then overwrite its beginning. */
const OPEN_OUTPUT =
  constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW;

/** A file instead of a pipe: it is complete before the command starts, and no process has to stay to write it. */
function openInput({ files }: Host, attempt: Attempt, { stdin }: JobCommand): number | undefined {
  if (stdin === undefined) return undefined;
  const path = inputPath(attempt);
  createFile(files, path, Buffer.from(stdin), 0o600);
  return files.open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
}

async function runLimited(
  host: Host,
  attempt: Attempt,
  streams: { command: JobCommand; stdin: number | undefined; stdout: number; stderr: number },
): Promise<AttemptEnd> {
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

function whyNotStarted(host: Host, { file, cwd }: JobCommand, error: unknown): string {
  const errno = errnoOf(error) ?? String(error);
  // The dot makes a link to a directory count as a directory.
  if (host.files.lstat(`${cwd}/.`)?.kind !== 'directory') {
    return `The command "${file}" could not be started: its working directory ${cwd} is not a directory (${errno}).`;
  }
  if (errno === 'ENOENT') {
    return `The command "${file}" could not be started in ${cwd}: there is no such file, nor is it in PATH (ENOENT).`;
  }
  return `The command "${file}" could not be started in ${cwd}: ${error instanceof Error ? error.message : errno}.`;
}

/** Waits out a full disk, because without the exit the command would count as lost and run again. */
async function publishPatiently(host: Host, attempt: Attempt, record: ExitRecord): Promise<void> {
  const startMs = host.clock.uptimeMs();
  const pause = createGrowingWait(host.clock, LOOKS);
  for (;;) {
    try {
      await publishExit(host, attempt, record);
      return;
    } catch (error) {
      // The directory was removed, so nobody waits for the result.
      if (errnoOf(error) === 'ENOENT' || host.clock.uptimeMs() - startMs > EXIT_PATIENCE_MS) throw error;
    }
    await pause();
  }
}

/** A longer timer would not notice that the machine was asleep meanwhile. */
const SLEEP_MS_MAX = 1_000;
/** How often the outputs of a command are checked. */
const LOOK_MS = 100;

/** The limit for which a command is ended. */
export type Limit = 'time' | 'idle' | 'output';

function isLimited({ timeoutMs, idleTimeoutMs, outputBytesMax }: JobCommand): boolean {
  return timeoutMs !== undefined || idleTimeoutMs !== undefined || outputBytesMax !== undefined;
}

/**
 * Resolves when a running command passes one of its limits, or earlier when the signal aborts. Time during which the machine
 * sleeps counts. `outputs` are the open descriptors that the command writes to.
 */
async function limitPassed(
  { clock, files }: Host,
  { command, outputs, signal }: { command: JobCommand; outputs: readonly number[]; signal: AbortSignal },
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

/** Truncates what a command wrote beyond its limit before that was noticed. */
function cutOutputs({ files }: Host, { outputs, bytesMax }: { outputs: readonly number[]; bytesMax: number }): void {
  for (const fd of outputs) if (files.fstat(fd).size > bytesMax) files.truncate(fd, bytesMax);
}
