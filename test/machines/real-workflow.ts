import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { expect } from 'vitest';
import { openRoom, type Message } from '../../src/index.ts';
import type { CliRoom } from '../cli/cli-room.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const COMMAND = path.join(ROOT, 'dist', 'cli', 'mailroom.cjs');

/** Only a hang ends by this. */
const MAIL_MS_MAX = 60_000;

const started = new Set<ChildProcess>();

/** Kills the started processes; for `afterEach`. */
export function killStarted(): void {
  for (const child of started) child.kill('SIGKILL');
  started.clear();
}

export interface RealWorkflow {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>;
}

/** A machine of `machines/` in a process of its own, as a user runs it. */
export function startWorkflow({ directory, env }: CliRoom, machine: string, input?: object): RealWorkflow {
  const words = [COMMAND, 'run', path.join(ROOT, 'dist', 'machines', machine)];
  const child = spawn(process.execPath, [...words, ...(input ? ['--input', JSON.stringify(input)] : [])], {
    cwd: directory,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.add(child);
  const read = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (read.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (read.stderr += text));
  const ended = new Promise<Awaited<RealWorkflow['ended']>>((resolve) => {
    child.on('close', (code, signal) => {
      started.delete(child);
      resolve({ code, signal, ...read });
    });
  });
  return { child, ended };
}

/** The next message for an agent, acknowledged. */
export async function nextMail({ room }: CliRoom, as: string): Promise<Message> {
  await using opened = await openRoom({ directory: room });
  for await (const mail of opened.agent(as).inbox({ signal: AbortSignal.timeout(MAIL_MS_MAX) })) {
    await mail.ack();
    return mail.message;
  }
  throw new Error(`${as} got no mail`);
}

/** The commands in a message as a person would copy them, one per line. */
export function commandsIn({ content }: Pick<Message, 'content'>): string[] {
  return content.split('\n').filter((line) => /^ +mailroom /.test(line));
}

/** Pastes a line into the shell of an agent; it must succeed. */
export async function paste(room: CliRoom, as: string, line: string): Promise<void> {
  const pasted = await room.shell(`exec bash -c "$(cat)"`, { as, stdin: line });
  expect(pasted).toMatchObject({ code: 0, stderr: '' });
}
