import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import type { ProcessIdentity, Room } from 'agent-mailroom';
import { namesKeptFromChildren, nodeHost } from 'agent-mailroom/runtime';
import { cut, childEnvironment } from 'agent-mailroom/workflow';

const JOIN_MS_MAX = 60_000;
const LOOK_EVERY_MS = 50;
const LEAVE_MS_MAX = 10_000;

/** An agent as a process of its own, which finds the room by its environment. */
export interface AgentProgram {
  readonly address: string;
  readonly file: string;
  readonly args: readonly string[];
  /** The address of a process that the agent starts for itself and that must end with it. */
  readonly behind?: string;
  /** Whether the agent is restarted when it dies during the run. */
  readonly isKept?: boolean;
  /** Shown to people instead of the command line. */
  readonly shown?: string;
}

export interface TeamOptions {
  readonly agents: readonly AgentProgram[];
  /** The directory of the run. */
  readonly directory: string;
  /** The tmux session in which each agent has a pane; none if undefined. */
  readonly session: string | undefined;
  readonly signal: AbortSignal;
}

export interface Team {
  /** The agents started now; those in `kept` were running already. */
  readonly started: readonly string[];
  readonly kept: readonly string[];
}

/**
 * Starts every agent that is not alive, by pid and start time in the room. Throws if one does not join, and with the signal's
 * reason on abort.
 */
export async function startTeam(room: Room, { agents, directory, session, signal }: TeamOptions): Promise<Team> {
  const alive = agents.filter(({ address }) => processOf(room, address) !== undefined);
  const missing = agents.filter((one) => !alive.includes(one));
  for (const agent of missing) {
    if (session === undefined) startDetached(room, agent, directory);
    else await startInPane(room, agent, { directory, session });
  }
  for (const { address } of missing) await joined(room, { address, directory, signal });
  return { started: missing.map(({ address }) => address), kept: alive.map(({ address }) => address) };
}

/** Ends the agents that still live, by the process that each joined with, and waits a while for them. */
export async function endTeam(room: Room, agents: readonly AgentProgram[]): Promise<void> {
  // First the agents that would restart the others.
  const addresses = [...agents.map(({ address }) => address), ...agents.flatMap(({ behind }) => behind ?? [])];
  const endMs = Date.now() + LEAVE_MS_MAX;
  const left = (): ProcessIdentity[] => addresses.flatMap((address) => processOf(room, address) ?? []);
  for (const { pid } of left()) {
    try {
      process.kill(pid, 'SIGTERM');
    } catch {
      // The process is gone meanwhile.
    }
  }
  while (left().length > 0 && Date.now() < endMs) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
}

/** The file for an agent's output. */
function agentLog(directory: string, address: string): string {
  return path.join(directory, 'agents', `${address}.log`);
}

/** The process of an agent, if it is alive. */
function processOf(room: Room, address: string): ProcessIdentity | undefined {
  const found = room.actors().find(({ card }) => card.address === address && card.kind === 'agent');
  return found?.live === true && nodeHost.processes.isAlive(found.card.process) ? found.card.process : undefined;
}

function environmentOf(room: Room, address: string): NodeJS.ProcessEnv {
  return childEnvironment({ MAILROOM_DIR: room.directory, MAILROOM_AS: address });
}

function startDetached(room: Room, { address, file, args }: AgentProgram, directory: string): void {
  const log = agentLog(directory, address);
  fs.mkdirSync(path.dirname(log), { recursive: true });
  const output = fs.openSync(log, 'a');
  // The agent outlives this process, as one in a terminal of its own does.
  const child = spawn(file, [...args], {
    cwd: directory,
    env: environmentOf(room, address),
    detached: true,
    stdio: ['ignore', output, output],
  });
  child.on('error', (error) => fs.appendFileSync(log, `${String(error)}\n`));
  child.unref();
  fs.closeSync(output);
}

async function startInPane(
  room: Room,
  { address, file, args }: AgentProgram,
  { directory, session }: { directory: string; session: string },
): Promise<void> {
  const options = { env: childEnvironment(), extendEnv: false } as const;
  const { exitCode } = await execa('tmux', ['has-session', '-t', `=${session}`], { ...options, reject: false });
  const place = exitCode === 0 ? ['split-window', '-d', '-t', `=${session}:`] : ['new-session', '-d', '-s', session];
  const set = ['-e', `MAILROOM_DIR=${room.directory}`, '-e', `MAILROOM_AS=${address}`];
  // A pane gets the environment of the tmux server, which may have been started anywhere.
  const unset = ['env', ...namesKeptFromChildren().flatMap((name) => ['-u', name])];
  // tmux ends its command at a word that ends in `;`, and expands `#` in the directory given by -c.
  const words = [...set, ...unset, file, ...args].map((word) => word.replace(/;$/, '\\;'));
  await execa('tmux', [...place, ...words], { ...options, cwd: directory });
  await execa('tmux', ['select-layout', '-t', `=${session}:`, 'tiled'], { ...options, reject: false });
}

async function joined(
  room: Room,
  { address, directory, signal }: { address: string; directory: string; signal: AbortSignal },
): Promise<void> {
  const endMs = Date.now() + JOIN_MS_MAX;
  while (processOf(room, address) === undefined) {
    signal.throwIfAborted();
    if (Date.now() > endMs) {
      const log = agentLog(directory, address);
      const output = fs.existsSync(log)
        ? cut(fs.readFileSync(log, 'utf8').trim(), { charsMax: 1_000, keep: 'end' })
        : '';
      throw new Error(
        `The agent ${address} did not join the room within ${JOIN_MS_MAX / 1_000} s. Its output: ${output || 'none'} (${log})`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
