import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';

const FIXTURES = path.join(import.meta.dirname, '..', '..', 'fixtures', 'crash');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Child {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Starts a program of fixtures/crash with this Node; it runs on what was built last. */
export function startFixture(name: string, args: readonly string[]): Child {
  const child = spawn(process.execPath, [path.resolve(FIXTURES, name), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { process: child, ended };
}

/** Runs it to its end. Throws when it ended otherwise than by success or SIGKILL. */
export async function runFixture(name: string, args: readonly string[]): Promise<Ended> {
  const ended = await startFixture(name, args).ended;
  if (ended.code !== 0 && ended.signal !== 'SIGKILL')
    throw new Error(`${name} ended with ${ended.code}: ${ended.stderr}`);
  return ended;
}

/** Each look takes processor time from what is waited for. */
const LOOK_EVERY_MS = 5;

/** Polls until the condition holds. Throws after a time that only a hang takes. */
export async function until(what: string, condition: () => boolean, timeoutMs = 30_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
