import { spawn } from 'node:child_process';
import { childEnvironment, cut } from 'agent-mailroom/workflow';

/** A program to run. */
export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Added to the child environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly msMax: number;
}

/** How a program ended. */
export interface ProgramRan {
  /** Null if the program exceeded its time limit. */
  readonly exitCode: number | null;
  /** The tail of stdout. */
  readonly stdout: string;
  /** The tail of stdout and stderr together. */
  readonly output: string;
}

const OUTPUT_CHARS_KEPT = 20_000;
/** More than is kept, so that the cut can fall between two characters. */
const OUTPUT_CHARS_HELD = 2 * OUTPUT_CHARS_KEPT;
/** How long to wait for output after the program has exited. */
const OUTPUT_MS_MAX = 2_000;

/**
 * Runs a program to its end, with empty stdin and no terminal for prompts. Rejects if it cannot be started. On abort it kills
 * the program with all its children, then rejects with the signal's reason.
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
    // A process group of its own, so that everything it starts is killed with it.
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
      // The group is gone already.
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
        // A process that left the group and still holds the pipes is not waited for.
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
    // What it has left running in the background.
    end();
  }
}

function endOf(text: string): string {
  return cut(text, { charsMax: OUTPUT_CHARS_KEPT, keep: 'end', mark: '' }).trim();
}

/** How a shell command ended. */
export interface ShellRan {
  readonly command: string;
  /** Null if the command exceeded its time limit. */
  readonly exitCode: number | null;
  /** The tail of its output. */
  readonly output: string;
}

/** Runs a shell command in a checkout to its end. On abort it kills all of it, then rejects with the signal's reason. */
export async function runShell(
  { command, cwd, env = {}, msMax }: { command: string; cwd: string; env?: Program['env']; msMax: number },
  signal: AbortSignal | undefined,
): Promise<ShellRan> {
  const program = { file: 'sh', args: ['-c', command], cwd, env: { CI: '1', ...env }, msMax };
  const { exitCode, output } = await runProgram(program, signal);
  return { command, exitCode, output };
}
