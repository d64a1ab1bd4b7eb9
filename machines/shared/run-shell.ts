import { runProgram } from './run-program.ts';

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
