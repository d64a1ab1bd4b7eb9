import { constants } from 'node:fs';
import { RoomNotFound } from '../errors.ts';
import { handleHook } from '../hooks/handle-hook.ts';
import { hookAnswer } from '../hooks/hook-answer.ts';
import { kindOfHook, parseHookEvent, type HookEvent } from '../hooks/hook-event.ts';
import { directoryOf } from '../hooks/quick-look.ts';
import { commandIn, sessionOf } from '../hooks/session.ts';
import { startWaiter } from '../hooks/start-waiter.ts';
import { waitToWake } from '../hooks/waiter.ts';
import type { Host } from '../host/host.ts';
import { quote } from '../host/shell-word.ts';
import { contextOf, openRoom, type Room } from '../room/room.ts';
import { createOutput, type Output } from './output.ts';
import { ownCommand } from './own-command.ts';
import { nudgeApart } from './with-room.ts';

/** The exit code by which an asynchronous hook wakes its session. */
const EXIT_WAKES = 2;
/** The program waits for its hook, and a person waits for the program. */
const HOOK_MS_MAX = 1_800;
const OPEN_APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT;
const ENVIRONMENT_MODE = 0o600;

export interface HookOptions {
  readonly program: string;
  /** The event, as the program names it. */
  readonly name: string;
  readonly host: Host;
  /** The file of the command `mailroom`. */
  readonly mailroom: string;
  readonly nudgeProgram: string;
}

/**
 * Runs one hook. On any fault the program continues as if there were no Mailroom: the exit code is 0, nothing is written to
 * stdout, and the fault goes to the log and to stderr.
 */
export async function runHook(input: string, options: HookOptions): Promise<void> {
  const { host, program, name } = options;
  const output = createOutput(host, (text) => text);
  let room: Room | undefined;
  const failed = async (error: unknown): Promise<void> => {
    const detail = `${program} ${name}: ${error instanceof Error ? error.message : String(error)}`;
    if (room) contextOf(room).log.append({ event: 'hook-failed', detail });
    await output.talk(`mailroom: The hook ${detail}\n`);
  };
  process.exitCode = 0;
  const over = new AbortController();
  try {
    const { kind } = kindOfHook(program, name);
    if (kind !== 'wake') void endInTime(host, over.signal, failed);
    const event = parseHookEvent(input, { program, name });
    const cwd = directoryOf(event, process.env) ?? process.cwd();
    room = await openRoom({ cwd, host, nudge: nudgeApart(options) });
    await (kind === 'wake' ? wake(room, event, options, output) : handle(room, event, options, output));
  } catch (error) {
    // A person's hooks run in every project, and most have no room.
    if (!(error instanceof RoomNotFound)) await failed(error);
  } finally {
    over.abort();
    await room?.close();
  }
}

/** Ends the process if the hook takes too long. It may be cut off at any point, as by a kill. */
async function endInTime(
  { clock, processes }: Host,
  over: AbortSignal,
  failed: (error: unknown) => Promise<void>,
): Promise<void> {
  await clock.sleep(HOOK_MS_MAX, over);
  if (over.aborted) return;
  await failed(new Error(`it took more than ${HOOK_MS_MAX} ms, and was given up.`));
  processes.end();
}

async function handle(room: Room, event: HookEvent, options: HookOptions, output: Output): Promise<void> {
  const { env } = process;
  const { answer, afterwards } = await handleHook(contextOf(room), event, {
    env,
    ownCommand: commandOf(options, event),
    // The opencode plugin sets the address from the answer in its shells.
    exportAddress: (address) =>
      event.program === 'opencode' || exportAddress(options.host, env['CLAUDE_ENV_FILE'], address),
  });
  if (answer !== '') await output.data(answer);
  await afterwards();
  // An answer keeps the turn running; the end of the turn runs another hook.
  if (answer === '') startWaiter(options.host.processes, event, options.mailroom);
}

async function wake(room: Room, event: HookEvent, options: HookOptions, output: Output): Promise<void> {
  const session = sessionOf(contextOf(room), event);
  if (!session || !isAttended(event)) return;
  const command = commandIn(session, commandOf(options, event));
  const woken = await waitToWake(contextOf(room), session, { command, cwd: event.cwd ?? process.cwd() });
  if (!woken) return;
  if (event.program === 'opencode') await output.data(hookAnswer(event, woken));
  else await output.talk(woken.text);
  await woken.record();
  if (event.program !== 'opencode') process.exitCode = EXIT_WAKES;
}

/** `claude -p` ends only when all its hooks have ended, also those in the background (2.1.332). */
function isAttended({ program }: HookEvent): boolean {
  return program !== 'claude' || (process.env['CLAUDE_CODE_ENTRYPOINT'] ?? 'cli') === 'cli';
}

function commandOf({ mailroom }: HookOptions, { cwd = process.cwd() }: HookEvent): string {
  return ownCommand(mailroom, { env: process.env, cwd });
}

/** Claude Code runs this file before each command of the session's shell, and passes its path when a session starts. */
function exportAddress({ files }: Host, path: string | undefined, address: string): boolean {
  if (!path) return false;
  const line = Buffer.from(`export MAILROOM_AS=${quote(address)}\n`);
  const fd = files.open(path, OPEN_APPEND, ENVIRONMENT_MODE);
  try {
    return files.write(fd, line, 0, line.length) === line.length;
  } finally {
    files.close(fd);
  }
}
