import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import type { ModelRequest } from '../../fixtures/agents/models/model-server.ts';
import { processesWith } from '../agents/agent-room.ts';
import { logged } from '../hostile/zoo-room.ts';
import type { HookedProgram } from './programs/program.ts';
import type { ProgramRoom } from './real-room.ts';
import { openTerminal, type Terminal, type TerminalOptions } from './terminal.ts';

/** A session of a real program that joined by its hooks. */
export interface HookedSession extends AsyncDisposable {
  readonly terminal: Terminal;
  /** Submits a line as the person; resolves when the model has been asked. */
  prompt(line: string): Promise<void>;
  /** Waits until the model was asked so often, and returns what it was asked last. */
  asked(count: number): Promise<ModelRequest>;
  /** Waits until the turn is over that the model ended with this text; where mail wakes the session, something then waits for it. */
  idleAfter(reply: string): Promise<void>;
  /** Waits until a message was acknowledged. */
  acknowledged(id: string): Promise<void>;
}

/** Adds the hooks of a program by the one command, in a project that the program trusts. */
export async function addHooks(program: HookedProgram, { room, place, env }: ProgramRoom): Promise<void> {
  program.terminal.setUp(place);
  const { code, stderr } = await room.cli.run(['hooks', 'add', program.preset], { env });
  expect(code, stderr).toBe(0);
}

/** Opens a session, which joins under the address that is free then, `<program>-1` for the first one. */
export async function openSession(
  program: HookedProgram,
  real: ProgramRoom,
  options: Pick<TerminalOptions, 'prompt'> = {},
): Promise<HookedSession> {
  const { model, room } = real;
  const terminal = await openTerminal(program, real, { ...options, args: program.hooks.args });
  const asked: HookedSession['asked'] = async (count) => {
    await terminal.until(`the model is asked ${count} times`, () => model.requests.length >= count);
    const request = model.requests.at(-1);
    if (!request) throw new Error('the model was not asked');
    return request;
  };
  return {
    terminal,
    asked,
    prompt: async (line) => {
      const before = model.requests.length;
      await terminal.type(line);
      await terminal.enterUntil(() => model.requests.length > before);
    },
    idleAfter: async (reply) => {
      await terminal.until(`the program shows ${reply}`, () => terminal.screen().includes(reply));
      const { atMs = 0 } = model.requests.at(-1) ?? {};
      await terminal.until('the hook of the end of the turn has run', () => lastRunMs(room.cli.room) > atMs);
      if (program.hooks.wakes)
        await terminal.until('it waits for mail', () => waiters(real, program.preset).length > 0);
    },
    acknowledged: (id) => {
      const actors = path.join(room.cli.room, 'actors');
      const isDone = (name: string): boolean => name.includes('/mailbox/done/') && name.includes(id);
      return terminal.until(`${id} is acknowledged`, () =>
        fs.readdirSync(actors, { recursive: true, encoding: 'utf8' }).some(isDone),
      );
    },
    [Symbol.asyncDispose]: () => terminal[Symbol.asyncDispose](),
  };
}

/** When a hook last ran in any session, in ms since the epoch. */
function lastRunMs(room: string): number {
  const sessions = path.join(room, 'sessions');
  const records = fs.readdirSync(sessions).map((name) => path.join(sessions, name, 'session.json'));
  return Math.max(0, ...records.map((file) => fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0));
}

/** The processes that wait for mail behind a turn, to wake a session. */
export function waiters(real: ProgramRoom, program = String.raw`\w+`): number[] {
  return running(real, new RegExp(` hook ${program} wake`));
}

/** The processes with such a command line that programs, or their hooks, have started. */
export function running({ place }: ProgramRoom, line: RegExp): number[] {
  return processesWith(`HOME=${place.home}\0`).filter((pid) => line.test(commandLine(pid)));
}

function commandLine(pid: number): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // It has just ended.
    return '';
  }
}

/**
 * How often a message that ends with this pattern was shown, by the conversation that a request carries: each showing has fence words
 * of its own, and a program may have quoted it twice.
 */
export function showings({ body }: ModelRequest, pattern: string): number {
  const fenced = new RegExp(`MAIL ([0-9a-f]+)\\\\+n(?:(?!MAIL ).)*?${pattern}\\.?\\\\+nMAIL \\1`, 'g');
  return new Set([...JSON.stringify(body).matchAll(fenced)].map(([, fence]) => fence)).size;
}

/** Every message of the session is dealt with, and no hook failed. */
export async function expectSettled({ room }: ProgramRoom, address: string, id: string): Promise<void> {
  expect(await room.state(id)).toBe('acknowledged');
  expect(await room.cli.json(['inbox'], { as: address })).toEqual([]);
  expect(logged(room.cli.room, 'hook-failed')).toEqual([]);
}
