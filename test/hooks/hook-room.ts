import fs from 'node:fs';
import { handleHook } from '../../src/hooks/handle-hook.ts';
import { parseHookEvent } from '../../src/hooks/hook-event.ts';
import type { Host } from '../../src/host/host.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import type { ProcessIdentity } from '../../src/host/processes.ts';
import { openRoom, type Agent, type Room } from '../../src/index.ts';
import { contextOf } from '../../src/room/room.ts';
import { createSteppedClock, type SteppedClock } from '../hostile/stepped-clock.ts';
import { openZoo, type ZooRoom } from '../hostile/zoo-room.ts';

/** A room in which alice writes to a session of a program, which is this test. */
export interface HookRoom extends AsyncDisposable {
  readonly zoo: ZooRoom;
  readonly alice: Agent;
  readonly clock: SteppedClock;
  /** The fake of the program's process: this one is alive, any other never existed. */
  session(id: string, options?: SessionOptions): HookSession;
  /** Names in the mailbox of an address: `new`, `cur` or `done`. */
  names(address: string, where: 'new' | 'cur' | 'done'): string[];
  send(content: string, to?: string): Promise<string>;
}

export interface SessionOptions {
  readonly program?: string;
  /** Default: a process that runs. */
  readonly process?: ProcessIdentity;
  readonly env?: Readonly<Record<string, string>>;
  /** In place of the file system. */
  readonly files?: Host['files'];
  /** The command that runs this program in the session's shell. Default: `mailroom`. */
  readonly ownCommand?: string;
}

export interface HookSession {
  /** Calls a hook as the program does; resolves with the text for the model, once the hook has finished. */
  readonly fire: (name: string, fields?: object) => Promise<string>;
  /** The same, and the hook dies as soon as the program has its answer. */
  readonly fireAndDie: (name: string, fields?: object) => Promise<string>;
  readonly room: Room;
}

/** A process that runs as long as the tests do; the pid distinguishes several. */
export function running(): ProcessIdentity {
  return nodeHost.processes.self();
}

export function runningToo(): ProcessIdentity {
  const parent = nodeHost.processes.identify(process.ppid);
  if (!parent) throw new Error('the tests have no parent');
  return parent;
}

export function ended(pid = 999_999): ProcessIdentity {
  return { ...nodeHost.processes.self(), pid };
}

export async function openHookRoom(
  algorithm: 'hmac-sha256' | 'ed25519' = 'hmac-sha256',
  startMs = Date.now(),
): Promise<HookRoom> {
  const clock = createSteppedClock(startMs);
  const zoo = await openZoo({ host: { ...nodeHost, clock }, algorithm });
  const opened: Room[] = [];
  const session = (id: string, options: SessionOptions = {}): HookSession => {
    const { program = 'claude', process: parent = running(), env = {}, files = nodeHost.files } = options;
    const { ownCommand = 'mailroom' } = options;
    const host: Host = { ...nodeHost, clock, files, processes: { ...nodeHost.processes, parent: () => parent } };
    let room: Room | undefined;
    const fire = async (name: string, fields: object, isKilled: boolean): Promise<string> => {
      const input = JSON.stringify({ session_id: id, cwd: zoo.base, ...fields });
      const event = parseHookEvent(input, { program, name });
      // A room of its own each time, as a process has it.
      const own = await openRoom({ directory: zoo.directory, host, nudge: () => {} });
      room = own;
      opened.push(own);
      const context = { env, ownCommand, exportAddress: () => program === 'claude' };
      const { answer, afterwards } = await handleHook(contextOf(own), event, context);
      if (!isKilled) await afterwards();
      return textIn(answer);
    };
    return {
      fire: (name, fields = {}) => fire(name, fields, false),
      fireAndDie: (name, fields = {}) => fire(name, fields, true),
      get room() {
        if (!room) throw new Error('no hook ran yet');
        return room;
      },
    };
  };
  return {
    zoo,
    alice: zoo.alice,
    clock,
    session,
    names: (address, where) => {
      const mailbox = `${zoo.directory}/actors/${address}/mailbox/${where}`;
      if (where !== 'done') return fs.readdirSync(mailbox);
      return fs.readdirSync(mailbox).flatMap((day) => fs.readdirSync(`${mailbox}/${day}`));
    },
    send: async (content, to = 'claude-1') => (await zoo.alice.send({ to, type: 'QUESTION', content })).id,
    [Symbol.asyncDispose]: async () => {
      for (const room of opened) await room.close();
      await zoo[Symbol.asyncDispose]();
    },
  };
}

/** The text for the model in an answer of any program. */
function textIn(answer: string): string {
  if (answer === '') return '';
  const parsed = JSON.parse(answer) as Record<string, string> & { hookSpecificOutput?: { additionalContext: string } };
  const { hookSpecificOutput, reason, context, continueWith } = parsed;
  return hookSpecificOutput?.additionalContext ?? reason ?? context ?? continueWith ?? '';
}
