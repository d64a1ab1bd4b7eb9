import { ensureDirectory, namesIn, removeQuietly, replaceFile, stagedPath } from '../host/files.ts';
import { isSameProcess, type ProcessIdentity } from '../host/processes.ts';
import { isActorAddress } from '../message/address.ts';
import { sessionLayout, type SessionLayout } from '../message/layout.ts';
import type { RoomContext } from '../room/context.ts';
import { isThere, touch } from '../room/signs-of-life.ts';
import { readSignedRecord, signedRecord } from '../room/signed-record.ts';
import { sessionKey, type HookEvent } from './hook-event.ts';
import { HOOK_PROGRAMS, SHARED_PROCESS, type HookProgram } from './programs.ts';

/** A session of a program that joined by its hooks. */
export interface Session {
  readonly key: string;
  readonly program: HookProgram;
  /** The program's own id of the session. */
  readonly id: string;
  readonly address: string;
  /** The program's process. */
  readonly process: ProcessIdentity;
  /** Commands in the program's shell know the address without --as. */
  readonly isExported: boolean;
  /** The session must be introduced at its next prompt. */
  readonly isUnheard: boolean;
  readonly layout: SessionLayout;
}

const RECORD = 'session';

/** The session that an event comes from; undefined if it has not joined. */
export function sessionOf(context: RoomContext, event: HookEvent): Session | undefined {
  return readSession(context, sessionKey(event));
}

/** The variables with the session id in the environment of the model's commands (Claude Code 2.1.332, Codex 0.171). */
const SESSION_VARIABLES = { codex: 'CODEX_SESSION_ID', claude: 'CLAUDE_CODE_SESSION_ID' } as const;

/** The address of the session in whose shell a command runs; undefined if there is none, or it has not joined. */
export function addressInShell(
  context: RoomContext,
  program: keyof typeof SESSION_VARIABLES,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const sessionId = env[SESSION_VARIABLES[program]];
  return sessionId ? readSession(context, sessionKey({ program, sessionId }))?.address : undefined;
}

/** The start of commands for the session's shell; `own` is the command that runs this same program. */
export function commandIn({ address, isExported }: Session, own: string): string {
  return isExported ? own : `${own} --as ${address}`;
}

/** Every known session of this room. */
export function listSessions(context: RoomContext): Session[] {
  const keys = namesIn(context.host.files, context.layout.sessions);
  return keys.map((key) => readSession(context, key)).filter((session) => session !== undefined);
}

function readSession(context: RoomContext, key: string): Session | undefined {
  const layout = sessionLayout(context.layout, key);
  const fields = readSignedRecord(context, { path: layout.record, record: RECORD, signer: ({ address }) => address });
  if (!fields || fields['session'] !== key) return undefined;
  const { id, address, process, isExported, isUnheard } = fields;
  const program = HOOK_PROGRAMS.find((one) => one === fields['program']);
  if (!program || typeof id !== 'string' || typeof address !== 'string' || !isActorAddress(address)) return undefined;
  return {
    key,
    program,
    id,
    address,
    process: process as ProcessIdentity,
    isExported: isExported === true,
    isUnheard: isUnheard === true,
    layout,
  };
}

/** If a process outlives its sessions, a session without a hook run for this long counts as ended. */
const IDLE_MS_MAX = 12 * 3_600_000;

/**
 * Whether a session is live, as far as this process can tell. Of two sessions of one process the earlier one has ended, unless
 * the program runs several at once.
 */
export function isLiveSession(context: RoomContext, session: Session, beside: ProcessIdentity): boolean {
  const { host } = context;
  const { process, program } = session;
  const ranMs = (): number => lastRunMs(context, session);
  if (SHARED_PROCESS.has(program)) {
    if (host.clock.now() - ranMs() > IDLE_MS_MAX) return false;
  } else if (isSameProcess(process, beside)) return false;
  return isThere(host, { process, kind: 'agent', seenMs: ranMs });
}

/** When a hook last ran in the session, ms since the epoch. */
export function lastRunMs({ host }: RoomContext, { layout }: Session): number {
  return host.files.lstat(layout.record)?.mtimeMs ?? 0;
}

/** Records that a hook ran in the session just now. */
export function recordRun(context: RoomContext, { layout }: Session): void {
  touch(context, layout.record);
}

export async function writeSession(context: RoomContext, session: Session): Promise<Session> {
  const { files, randomBytes } = context.host;
  const { key, program, id, address, process, isExported, isUnheard, layout } = session;
  ensureDirectory(files, context.layout.sessions);
  ensureDirectory(files, layout.directory);
  ensureDirectory(files, layout.shown);
  const fields = { record: RECORD, session: key, program, id, address, process, isExported, isUnheard };
  const bytes = signedRecord(context, address, fields);
  const staged = stagedPath(context.layout.tmp, randomBytes);
  await replaceFile(files, { path: layout.record, staged, bytes, mode: 0o600, durable: false });
  return session;
}

/** Removes the session's files. Its shown mail must have been released before. */
export function forgetSession({ host }: RoomContext, { layout }: Session): void {
  const { files } = host;
  const { waiter, subagent, prompted, record } = layout;
  for (const path of [waiter, subagent, prompted, record]) removeQuietly(files, path);
  for (const directory of [layout.shown, layout.directory]) {
    try {
      files.rmdir(directory);
    } catch {
      // A concurrent hook has put a file there; the next session of this address handles it.
    }
  }
}
