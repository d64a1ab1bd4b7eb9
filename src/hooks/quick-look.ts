import { RoomNotFound } from '../errors.ts';
import { namesIn, readText, removeQuietly } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { isSameProcess, type ProcessIdentity } from '../host/processes.ts';
import { isActorAddress } from '../message/address.ts';
import { unframe } from '../message/envelope.ts';
import { actorLayout, roomLayout, sessionLayout } from '../message/layout.ts';
import { findRoom } from '../room/find-room.ts';
import { sessionKey, type HookEvent } from './hook-event.ts';
import { markPrompt } from './prompt-mark.ts';

type LittleHost = Pick<Host, 'files' | 'clock'> & { readonly processes: Pick<Host['processes'], 'userId' | 'parent'> };

const IN_A_TURN: ReadonlySet<string> = new Set(['prompt', 'batch', 'tool', 'turn-end']);
const RECORD_BYTES_MAX = 64 * 1024;

/**
 * What a hook has to do. `nothing`: there is no room, or it runs for a subagent. `nothing-new`: its session has joined, and no
 * mail waits, is claimed or was shown to it. It verifies no signature, because loading the keys and the verifier takes longer
 * than the rest of such a hook. Nothing acts on what it reads: a forged record can at most make it find nothing new.
 */
export function lookQuickly(
  host: LittleHost,
  event: HookEvent,
  { named, cwd }: { named: string | undefined; cwd: string },
): 'nothing' | 'nothing-new' | 'something' {
  const directory = event.isSubagent ? undefined : roomAt(host, { named, cwd });
  if (directory === undefined) return 'nothing';
  if (!IN_A_TURN.has(event.kind)) return 'something';
  const { files, processes, clock } = host;
  const room = roomLayout(directory);
  const session = sessionLayout(room, sessionKey(event));
  const text = readText(files, session.record, RECORD_BYTES_MAX);
  const framed = text === undefined ? undefined : unframe(Buffer.from(text));
  if (!framed) return 'something';
  const { address, process, isUnheard } = JSON.parse(framed.signed.toString('utf8')) as {
    address: string;
    process: ProcessIdentity;
    isUnheard: boolean;
  };
  if (isUnheard || !isActorAddress(address) || !isSameProcess(process, processes.parent())) return 'something';
  const { mailbox, seen } = actorLayout(room, address);
  if (files.lstat(session.subagent) || files.readdir(mailbox.new).length > 0) return 'something';
  if (namesIn(files, mailbox.cur).length > 0 || namesIn(files, session.shown).length > 0) return 'something';
  // The same marks as with mail, because later hooks decide by them.
  if (event.kind === 'prompt' || event.isInterrupted) markPrompt(files, session, event.turnId);
  else if (files.lstat(session.prompted)) removeQuietly(files, session.prompted);
  if (event.kind === 'prompt' && event.isByPerson) removeQuietly(files, session.waiter);
  const now = clock.now();
  for (const path of [session.record, seen]) files.utimes(path, now);
  return 'nothing-new';
}

/** Undefined without a room; that is not reported, because hooks run in every project of a person. */
function roomAt(host: LittleHost, where: { named: string | undefined; cwd: string }): string | undefined {
  try {
    return findRoom(host as Host, where);
  } catch (error) {
    if (error instanceof RoomNotFound) return undefined;
    throw error;
  }
}

/**
 * The directory from which the room of an event is looked for: the project in which the program was started, because the
 * directory that Claude Code reports follows the shell of its model.
 */
export function directoryOf(
  { program, cwd }: HookEvent,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return (program === 'claude' && env['CLAUDE_PROJECT_DIR']) || cwd;
}
