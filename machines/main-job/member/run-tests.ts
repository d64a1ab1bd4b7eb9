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
const LINES_MAX = 6;
const LINE_CHARS_MAX = 200;
const TELLING = /\bfail|error|not ok\b|✖|✗|✘|assert|expected|panick?ed|traceback|exception/i;
const SUMMARY = /(?:^|\s)0 (?:fail|error)|^\S*\s*(?:fail|failed|failures|errors):? 0\b|^# fail 0$/i;

/** Runs a shell command in a checkout to its end. Rejects with the signal's reason, after it has ended all of it. */
export async function runTests(command: string, cwd: string, signal: AbortSignal): Promise<Ran> {
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

export function howItEnded({ command, exitCode }: Ran): string {
  return `${command}: ${exitCode === null ? 'took too long' : `exit code ${exitCode}`}`;
}

/** The lines that tell what is wrong; the last ones where none looks like it. */
export function failingLines({ output }: Ran): string[] {
  const lines = output
    .split('\n')
    .map((line) => line.trim().slice(0, LINE_CHARS_MAX))
    .filter((line) => line !== '');
  const telling = [...new Set(lines.filter((line) => TELLING.test(line) && !SUMMARY.test(line)))];
  return telling.length > 0 ? telling.slice(0, LINES_MAX) : lines.slice(-LINES_MAX);
}
