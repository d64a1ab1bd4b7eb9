import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** The client in Python as a process of its own, driven through test/protocol/drive.py. */
export interface PythonClient {
  /** The client's answer. Throws `PythonError` for an error of its own. */
  ask<T = unknown>(op: string, command?: object): Promise<T>;
  close(): Promise<void>;
}

/** An error of the client: `code` is as in the library's errors. */
export class PythonError extends Error {
  readonly code: string;
  readonly retryAt: number | undefined;

  constructor(answer: Answer) {
    super(answer.text);
    this.name = 'PythonError';
    this.code = answer.error ?? '';
    this.retryAt = answer.retryAt ?? undefined;
  }
}

interface Answer {
  readonly result?: unknown;
  readonly error?: string;
  readonly text?: string;
  readonly retryAt?: number | null;
}

/** Whether there is a Python to test with. Where every test must run, a missing one is a failure instead of a skip. */
export function isPythonThere(): boolean {
  const isThere = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']).status === 0;
  if (!isThere && process.env['MAILROOM_CI'] !== undefined) throw new Error('python3 (3.9 or later) is missing');
  return isThere;
}

export function startPythonClient(): PythonClient {
  const child = spawn('python3', [path.join(import.meta.dirname, 'drive.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const waiting: ((answer: Answer) => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.(JSON.parse(line) as Answer));
  void ended.then(() => {
    for (const settle of waiting) settle({ error: 'ENDED', text: 'the Python client ended without an answer' });
  });
  return {
    ask: async <T>(op: string, command: object = {}) => {
      const answer = await new Promise<Answer>((resolve) => {
        waiting.push(resolve);
        child.stdin.write(`${JSON.stringify({ op, ...command })}\n`);
      });
      if (answer.error !== undefined) throw new PythonError(answer);
      return answer.result as T;
    },
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
