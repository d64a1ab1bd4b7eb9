import type { Host } from '../host/host.ts';
import type { Command } from './job-spec.ts';

/** A longer sleep would miss that the machine was asleep meanwhile. */
const SLEEP_MS_MAX = 1_000;
/** How long a command may go on past what it may write, or after it wrote something, before that is noticed. */
const LOOK_MS = 100;

/** What a command is ended for. */
export type Limit = 'time' | 'idle' | 'output';

export function isLimited({ timeoutMs, idleTimeoutMs, outputBytesMax }: Command): boolean {
  return timeoutMs !== undefined || idleTimeoutMs !== undefined || outputBytesMax !== undefined;
}

/**
 * Resolves when a running command passes one of its limits; with the signal also before. Counts the time that the machine sleeps. `outputs` are the open descriptors that it writes to.
 */
export async function limitPassed(
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
export function cutOutputs(
  { files }: Host,
  { outputs, bytesMax }: { outputs: readonly number[]; bytesMax: number },
): void {
  for (const fd of outputs) if (files.fstat(fd).size > bytesMax) files.truncate(fd, bytesMax);
}
