import { spawn, type ChildProcessByStdio } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { Message } from '../../src/message/message.ts';
import { createCliRoom, type CliRoom } from '../cli/cli-room.ts';
import { ARE_ALL_PROCESSES, startInProcess } from '../cli/run-in-process.ts';
import { until } from '../processes/child.ts';

const FAKES = path.join(import.meta.dirname, '../../fixtures/agents');
const FAKE_PROGRAMS = Object.fromEntries(
  ['claude', 'codex', 'gemini', 'opencode', 'aider'].map((name) => [name, path.join(FAKES, `fake-${name}.mjs`)]),
);
const PATIENCE_MS = 120_000;

/** An agent that answers mail. */
export interface RunningAgent {
  /** Its stderr so far. */
  told(): string;
  stdout(): string;
  /** Only a process of its own ends by a signal that it does not handle. */
  kill(signal: NodeJS.Signals): void;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

/** A room with alice in it, in which programs can be started as agents. */
export interface AgentRoom extends AsyncDisposable {
  readonly cli: CliRoom;
  /**
   * Starts `mailroom agent <words>`, and waits until it answers mail. It runs inside this process, which saves a quarter
   * of a second of processor time; the jobs that it starts are processes. In the long set it is a process, too.
   */
  readonly start: (...words: readonly string[]) => Promise<RunningAgent>;
  /** The same as a process of its own, as in a terminal of its own. */
  readonly startApart: (...words: readonly string[]) => Promise<RunningAgent>;
  /** The same, with more in its environment. */
  readonly startIn: (env: Readonly<Record<string, string>>, ...words: readonly string[]) => Promise<RunningAgent>;
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
  const before = { PATH: process.env['PATH'], HOME: process.env['HOME'] };
  const agents: RunningAgent[] = [];
  const hasCard = ([address = '']: readonly string[], pid: number | undefined): boolean => {
    try {
      return fs.readFileSync(path.join(cli.room, 'actors', address, 'card.json'), 'utf8').includes(`"pid": ${pid},`);
    } catch {
      // Between the look at one card and the next there may be none.
      return false;
    }
  };
  const startIn: AgentRoom['startIn'] = async (env, ...words) => {
    const child = spawn(path.join(cli.bin, 'mailroom'), ['agent', ...words], {
      cwd: cli.directory,
      env: { ...cli.env, ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const agent = followProcess(child);
    agents.push(agent);
    await until('the agent has joined', () => hasCard(words, child.pid) || child.exitCode !== null, PATIENCE_MS);
    return agent;
  };
  const startApart: AgentRoom['startApart'] = (...words) => startIn({}, ...words);
  const startWithin: AgentRoom['start'] = async (...words) => {
    setEnvironment(cli.env);
    const { ended, texts, interrupt } = startInProcess(['agent', ...words], { cwd: cli.directory, env: cli.env });
    let hasEnded = false;
    const agent: RunningAgent = {
      told: () => texts().stderr,
      stdout: () => texts().stdout,
      kill: interrupt,
      ended: ended.then(({ code }) => code).finally(() => (hasEnded = true)),
    };
    agents.push(agent);
    // One that reports JSON lines does not say that it answers mail.
    const isUp = (): boolean =>
      words.includes('--json') ? hasCard(words, process.pid) : agent.told().includes('answers mail');
    await until('the agent has joined', () => isUp() || hasEnded, PATIENCE_MS);
    return agent;
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
    start: ARE_ALL_PROCESSES ? startApart : startWithin,
    startApart,
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
      for (const agent of agents) agent.kill('SIGINT');
      await Promise.all(agents.map(({ ended }) => ended));
      setEnvironment(before);
      cli[Symbol.dispose]();
    },
  };
}

function followProcess(child: ChildProcessByStdio<null, Readable, Readable>): RunningAgent {
  let told = '';
  let stdout = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const ended = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  return { told: () => told, stdout: () => stdout, kill: (signal) => void child.kill(signal), ended };
}

/** What an agent within this process starts gets the environment of this process. */
function setEnvironment({ PATH = '', HOME = '' }: NodeJS.ProcessEnv): void {
  Object.assign(process.env, { PATH, HOME });
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
