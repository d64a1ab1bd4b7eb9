import { spawn } from 'node:child_process';

/** How a shell command has ended. */
export interface Ran {
  readonly command: string;
  /** Null when it took too long. */
  readonly exitCode: number | null;
  /** The end of what it printed. */
  readonly output: string;
}

const MS_MAX = 15 * 60_000;
const OUTPUT_CHARS_KEPT = 20_000;

/** Runs a shell command in a checkout to its end. Rejects with the signal's reason, after it has ended all of it. */
export async function runShell(command: string, cwd: string, signal: AbortSignal): Promise<Ran> {
  signal.throwIfAborted();
  const child = spawn('sh', ['-c', command], {
    cwd,
    env: { ...process.env, CI: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what it has started ends with it.
    detached: true,
  });
  let output = '';
  const take = (text: string): void => {
    output = (output + text).slice(-OUTPUT_CHARS_KEPT);
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  };
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    end();
  }, MS_MAX);
  signal.addEventListener('abort', end, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal.throwIfAborted();
    return { command, exitCode: isLate ? null : (code ?? 1), output: output.trim() };
  } finally {
    clearTimeout(late);
    signal.removeEventListener('abort', end);
  }
}
