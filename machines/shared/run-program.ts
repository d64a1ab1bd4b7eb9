import { spawn } from 'node:child_process';
import { childEnvironment, cut } from 'agent-mailroom/workflow';

/** A program, as it is to be run. */
export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Added to the environment of every child. */
  readonly env?: Readonly<Record<string, string>>;
  readonly msMax: number;
}

/** How a program has ended. */
export interface ProgramRan {
  /** Null when it took too long. */
  readonly exitCode: number | null;
  /** The end of what it printed there. */
  readonly stdout: string;
  /** The end of what it printed, errors too. */
  readonly output: string;
}

const OUTPUT_CHARS_KEPT = 20_000;
/** More than is kept, so that the cut can be where a character ends. */
const OUTPUT_CHARS_HELD = 2 * OUTPUT_CHARS_KEPT;
/** How long after its end what a program has printed may still come. */
const OUTPUT_MS_MAX = 2_000;

/**
 * Runs a program to its end, with nothing to read and no terminal on which it could ask. Rejects when it cannot be started,
 * and with the signal's reason, after it has ended all of it.
 */
export async function runProgram(
  { file, args, cwd, env, msMax }: Program,
  signal: AbortSignal | undefined,
): Promise<ProgramRan> {
  signal?.throwIfAborted();
  const child = spawn(file, args, {
    cwd,
    env: childEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what it has started ends with it.
    detached: true,
  });
  let [stdout, output] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout = (stdout + text).slice(-OUTPUT_CHARS_HELD);
    output = (output + text).slice(-OUTPUT_CHARS_HELD);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-OUTPUT_CHARS_HELD);
  });
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
  }, msMax);
  signal?.addEventListener('abort', end, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
      child.once('exit', (exitCode) => {
        clearTimeout(late);
        // Whoever has left the group and holds what it prints to is not waited for.
        setTimeout(() => resolve(exitCode), OUTPUT_MS_MAX).unref();
      });
    });
    child.stdout.destroy();
    child.stderr.destroy();
    signal?.throwIfAborted();
    return { exitCode: isLate ? null : (code ?? 1), stdout: endOf(stdout), output: endOf(output) };
  } finally {
    clearTimeout(late);
    signal?.removeEventListener('abort', end);
  }
}

function endOf(text: string): string {
  return cut(text, { charsMax: OUTPUT_CHARS_KEPT, keep: 'end', mark: '' }).trim();
}

/** How a shell command has ended. */
export interface Ran {
  readonly command: string;
  /** Null when it took too long. */
  readonly exitCode: number | null;
  /** The end of what it printed. */
  readonly output: string;
}

const MS_MAX = 15 * 60_000;

/** Runs a shell command in a checkout to its end. Rejects with the signal's reason, after it has ended all of it. */
export async function runShell(command: string, cwd: string, signal: AbortSignal): Promise<Ran> {
  const { exitCode, output } = await runProgram(
    { file: 'sh', args: ['-c', command], cwd, env: { CI: '1' }, msMax: MS_MAX },
    signal,
  );
  return { command, exitCode, output };
}
