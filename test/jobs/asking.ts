import { spawn } from 'node:child_process';

const AT_ONCE = 3;

export interface AskingEnd {
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
}

/** Runs the asking host to its end. Throws when it ended otherwise than by success or SIGKILL. */
export async function runAskingHost(program: string, args: readonly string[]): Promise<AskingEnd> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  const signal = await new Promise<NodeJS.Signals | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, by) => {
      if (code === 0 ? stdout !== '' : by === 'SIGKILL') resolve(by);
      else reject(new Error(`the asking host ended with ${code ?? by}: ${stderr}`));
    });
  });
  return { signal, stdout };
}

/** Runs the same work several times concurrently. */
export async function workers(work: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
