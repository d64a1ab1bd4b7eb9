import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Message } from '../../src/message/message.ts';
import { createCliRoom, type CliRoom } from '../cli/cli-room.ts';
import { until } from '../processes/child.ts';

const FAKES = path.join(import.meta.dirname, '../../fixtures/agents');
const FAKE_PROGRAMS = Object.fromEntries(
  ['claude', 'codex', 'gemini', 'opencode', 'aider'].map((name) => [name, path.join(FAKES, `fake-${name}.mjs`)]),
);
const PATIENCE_MS = 120_000;

/** An agent that runs as a process of its own, as in a terminal of its own. */
export interface RunningAgent {
  /** Its stderr so far. */
  told(): string;
  stdout(): string;
  kill(signal: NodeJS.Signals): void;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

/** A room with alice in it, in which programs can be started as agents. */
export interface AgentRoom extends AsyncDisposable {
  readonly cli: CliRoom;
  /** Starts `mailroom agent <words>`, and waits until it answers mail. */
  start(...words: readonly string[]): Promise<RunningAgent>;
  /** The same, with more in its environment. */
  startIn(env: Readonly<Record<string, string>>, ...words: readonly string[]): Promise<RunningAgent>;
  /** Sends as alice; resolves with the message's id. */
  send(to: string, type: string, content: string, ...options: readonly string[]): Promise<string>;
  /** The next message to alice. */
  receive(): Promise<Message>;
  ask(to: string, content: string, ...options: readonly string[]): Promise<Message>;
  /** Writes an executable file into the project. */
  script(name: string, text: string): void;
  /** The state of a message in bob's mailbox. */
  state(id: string): Promise<string>;
}

/** The programs in PATH are the fakes of fixtures/agents, unless others are given by name. */
export async function createAgentRoom(programs: Readonly<Record<string, string>> = FAKE_PROGRAMS): Promise<AgentRoom> {
  const cli = await createCliRoom({ agents: ['alice'] });
  for (const [name, file] of Object.entries(programs)) fs.symlinkSync(file, path.join(cli.bin, name));
  const children: ChildProcess[] = [];
  const startIn: AgentRoom['startIn'] = async (env, ...words) => {
    const child = spawn(path.join(cli.bin, 'mailroom'), ['agent', ...words], {
      cwd: cli.directory,
      env: { ...cli.env, ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    let told = '';
    let stdout = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    const ended = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(code ?? signal));
    });
    const card = path.join(cli.room, 'actors', words[0] ?? '', 'card.json');
    const isUp = (): boolean => {
      try {
        return fs.readFileSync(card, 'utf8').includes(`"pid": ${child.pid}`);
      } catch {
        // Between the look at one card and the next there may be none.
        return false;
      }
    };
    await until('the agent has joined', () => isUp() || child.exitCode !== null, PATIENCE_MS);
    return { told: () => told, stdout: () => stdout, kill: (signal) => void child.kill(signal), ended };
  };
  const send: AgentRoom['send'] = async (to, type, content, ...options) => {
    const { id } = (await cli.json(['send', to, type, content, ...options], { as: 'alice' })) as { id: string };
    return id;
  };
  const receive = async (): Promise<Message> => {
    const words = ['read', '--wait', `${PATIENCE_MS}ms`, '--limit', '1', '--max-bytes', '1000000'];
    const [message] = (await cli.json(words, { as: 'alice' })) as Message[];
    if (!message) throw new Error('nothing came for alice');
    return message;
  };
  return {
    cli,
    start: (...words) => startIn({}, ...words),
    startIn,
    send,
    receive,
    ask: async (to, content, ...options) => {
      await send(to, 'QUESTION', content, ...options);
      return receive();
    },
    script: (name, text) => fs.writeFileSync(path.join(cli.directory, name), text, { mode: 0o755 }),
    state: async (id) => ((await cli.json(['status', id])) as { state: string }[])[0]?.state ?? 'nowhere',
    [Symbol.asyncDispose]: async () => {
      for (const child of children) child.kill('SIGINT');
      await until('the agents have ended', () =>
        children.every((one) => one.exitCode !== null || one.signalCode !== null),
      );
      cli[Symbol.dispose]();
    },
  };
}

/** Live processes whose environment has this text. */
export function processesWith(text: string): number[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => read(pid, 'environ').includes(text) && !/\) [ZX] /.test(read(pid, 'stat')))
    .map(Number);
}

function read(pid: string, name: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
}
