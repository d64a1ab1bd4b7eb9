import { isMailroomError } from '../../errors.ts';
import { HOOK_SCOPES, hookFile, type HookScope } from '../../hooks/install/hook-files.ts';
import { lookAtHooks } from '../../hooks/install/install-hooks.ts';
import { PROGRAM_FACTS } from '../../hooks/install/program-facts.ts';
import { isGapClosed, sandboxGap } from '../../hooks/install/sandbox.ts';
import { SETTINGS_BYTES_MAX } from '../../hooks/install/settings-file.ts';
import { trustFile, trustIn } from '../../hooks/install/trust.ts';
import { HOOK_PROGRAMS, type HookProgram } from '../../hooks/programs.ts';
import { lastRunMs, listSessions } from '../../hooks/session.ts';
import { waiterOf, WAKES_MAX } from '../../hooks/waiter.ts';
import { readText } from '../../host/files.ts';
import { realPathOf } from '../../host/real-path.ts';
import { lastLines } from '../../log/read-log.ts';
import { countUnread } from '../../mailbox/early.ts';
import { formatTime } from '../../message/format-time.ts';
import { visible } from '../../message/visible.ts';
import { mailboxOf, type RoomContext } from '../../room/context.ts';
import { contextOf, openRoom } from '../../room/room.ts';
import type { Call } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';
import { alignColumns } from '../print/mail.ts';
import { type HookLocation, placeOf, programsHere, readInstead, roomHere } from './find-place.ts';
import { callingFor, gapText } from './hook-advice.ts';
import { fieldsIn } from '../../host/json-file.ts';

/** One program in `mailroom hooks status --json`. */
interface ProgramStatus {
  readonly program: HookProgram;
  readonly title: string;
  readonly isTried: boolean;
  /** The project has files of the program, or a shell here finds it. */
  readonly isHere: boolean;
  readonly wakes: string;
  readonly files: readonly FileStatus[];
  /** The setting without which its sandbox cannot write to the room; null if it can. */
  readonly sandbox: { readonly room: string; readonly setting: string; readonly isSet: boolean } | null;
  /** For people; not in the JSON. */
  readonly gap: string | undefined;
}

interface FileStatus {
  readonly scope: HookScope;
  readonly path: string;
  /** `not-run`: the program does not read this file. `unreadable`: the file is not in the program's format; `fault` says why. */
  readonly state: 'current' | 'older' | 'no' | 'not-run' | 'unreadable';
  readonly fault?: string;
  readonly as: string | null;
  readonly trust: { readonly isNeeded: boolean; readonly isGiven: boolean | null };
}

/** Reports which programs join by themselves, under which address, and what still prevents it. */
export async function reportStatus(call: Call): Promise<number> {
  const { isJson, output, host, cwd, env, args } = call;
  const place = placeOf(call);
  const room = roomHere(call);
  const here = programsHere(host, { project: place.places.project, cwd, env });
  const named = args.operands.slice(1);
  const programs = HOOK_PROGRAMS.filter((program) => named.length === 0 || named.includes(program));
  const found: ProgramStatus[] = [];
  for (const program of programs)
    found.push(await statusOf(call, place, { program, room, isHere: here.includes(program) }));
  const { sessions, fault: lastHookFault } = await runsIn(call, room);
  if (isJson) {
    const listed = found.map((status) => ({ ...status, gap: undefined }));
    await output.json({ programs: listed, sessions, lastFault: lastHookFault ?? null });
    return EXIT_OK;
  }
  await output.data(alignColumns(found.flatMap(rowsOf).map((row) => row.map((cell) => visible(cell)))));
  for (const { title, files, gap } of found) {
    for (const { fault } of files) if (fault !== undefined) await output.talk(`${visible(fault)}\n`);
    if (gap !== undefined) await output.advise(`${title}: ${gap}\n`);
  }
  await output.data(alignColumns(sessions.map(sessionRow).map((row) => row.map((cell) => visible(cell)))));
  if (lastHookFault) await output.talk(`Last fault, ${lastHookFault.time}: ${visible(lastHookFault.detail)}\n`);
  const missing = found.filter(({ isHere, files }) => isHere && files.every(({ state }) => state === 'no'));
  if (missing.length > 0)
    await output.advise(`To add: mailroom hooks add ${missing.map((one) => one.program).join(' ')}\n`);
  return EXIT_OK;
}

/** The sessions and the last fault of hooks in the room; empty without a room. */
async function runsIn(
  { host, cwd }: Call,
  directory: string | undefined,
): Promise<{ sessions: SessionStatus[]; fault: HookFault | undefined }> {
  if (directory === undefined) return { sessions: [], fault: undefined };
  const room = await openRoom({ directory, cwd, host });
  try {
    return { sessions: sessionsIn(contextOf(room)), fault: lastFault(contextOf(room)) };
  } finally {
    await room.close();
  }
}

function sessionRow({ address, program, lastRun, unread, isWokenNoMore }: SessionStatus): string[] {
  const waits = unread === 0 ? 'no mail waits' : `${unread} unread`;
  const woken = isWokenNoMore ? [`no longer woken until a person's next prompt`] : [];
  return [address, program, `last hook ${formatTime(Date.parse(lastRun))}`, [waits, ...woken].join(', ')];
}

async function statusOf(
  call: Call,
  place: HookLocation,
  { program, room, isHere }: { program: HookProgram; room: string | undefined; isHere: boolean },
): Promise<ProgramStatus> {
  const { title, isTried, wakes } = PROGRAM_FACTS[program];
  const files: FileStatus[] = [];
  for (const scope of HOOK_SCOPES) files.push(await fileStatus(call, { ...place, scope }, { program, room }));
  const installed = files.filter(({ state }) => state === 'current' || state === 'older');
  const path = installed[0]?.path ?? hookFile(program, place.scope, place.places);
  const gap = sandboxGap(program, room, { places: place.places, path });
  const settings = gap?.isWritten === true ? files.map((file) => file.path) : [gap?.file ?? path];
  const isSet = gap !== undefined && settings.some((file) => isGapClosed(gap, textOf(call, file)));
  return {
    program,
    title,
    isTried,
    isHere,
    wakes,
    files,
    sandbox: gap ? { room: gap.room, setting: gap.setting, isSet } : null,
    gap: gap && !isSet && installed.length > 0 ? gapText(program, gap, false) : undefined,
  };
}

async function fileStatus(
  call: Call,
  place: HookLocation,
  { program, room }: { program: HookProgram; room: string | undefined },
): Promise<FileStatus> {
  const { scope, places } = place;
  const path = hookFile(program, scope, places);
  const trustPath = trustFile(program, places);
  const trusted = trustPath === undefined ? undefined : textOf(call, trustPath);
  const { isNeeded, isGiven } = trustIn(program, trusted, { project: places.project, path, hooks: textOf(call, path) });
  const trust = { isNeeded, isGiven: isGiven ?? null };
  try {
    const { calling } = await callingFor(call, place, { program, as: undefined });
    const { state, as } = lookAtHooks(call.host, { program, path, room }, calling);
    const isRead = state === 'no' || readInstead(call.host, program, place) === undefined;
    return { scope, path, state: isRead ? state : 'not-run', as: as ?? null, trust };
  } catch (error) {
    if (!isMailroomError(error)) throw error;
    return { scope, path, state: 'unreadable', fault: error.message, as: null, trust };
  }
}

function textOf({ host }: Call, path: string): string | undefined {
  const file = realPathOf(path);
  return file === undefined ? undefined : readText(host.files, file, SETTINGS_BYTES_MAX);
}

const STATES = {
  current: 'installed',
  older: 'installed, older form: add it again',
  no: 'no',
  'not-run': 'written, but not run in a linked worktree: add with --user',
  unreadable: 'unreadable',
};

function rowsOf({ program, isTried, wakes, files }: ProgramStatus): string[][] {
  const name = isTried ? program : `${program} (untried)`;
  const shown = files.filter(({ state }) => state !== 'no');
  if (shown.length === 0) return [[name, 'no']];
  return shown.map(({ scope, path, state, as, trust }) => {
    const who = as === null ? '' : ` as ${as}`;
    return [name, `${STATES[state]}${who}`, scope, trustText(trust), `wakes: ${wakes}`, path];
  });
}

function trustText({ isNeeded, isGiven }: FileStatus['trust']): string {
  if (!isNeeded) return 'needs no trust';
  if (isGiven === null) return 'trust unknown';
  return isGiven ? 'trusted' : 'not trusted yet';
}

/** A session that has joined by its hooks, in `mailroom hooks status --json`. */
export interface SessionStatus {
  readonly program: HookProgram;
  readonly address: string;
  /** ISO 8601. */
  readonly lastRun: string;
  /** Messages that the session was not shown yet. */
  readonly unread: number;
  /** How often mail woke it since a person's last prompt. */
  readonly wakes: number;
  /** Mail woke it as often as allowed; further mail waits until a person's next prompt. */
  readonly isWokenNoMore: boolean;
}

/** The last hook that failed. */
export interface HookFault {
  /** ISO 8601. */
  readonly time: string;
  /** Program, event, and what failed. */
  readonly detail: string;
}

/** Newest run first. */
function sessionsIn(context: RoomContext): SessionStatus[] {
  const found = listSessions(context).map((session) => {
    const mailbox = mailboxOf(context, session.address);
    const wakes = waiterOf(context, session)?.wakes ?? 0;
    return {
      program: session.program,
      address: session.address,
      lastRun: new Date(lastRunMs(context, session)).toISOString(),
      unread: mailbox ? countUnread(mailbox) : 0,
      wakes,
      isWokenNoMore: wakes >= WAKES_MAX,
    };
  });
  return found.sort((a, b) => (a.lastRun < b.lastRun ? 1 : -1));
}

/** From the room's log, which is kept only for a while. */
function lastFault({ host, layout }: RoomContext): HookFault | undefined {
  const [line] = lastLines(host, layout, { limit: 1, matches: (one) => fieldsIn(one)?.['event'] === 'hook-failed' });
  const record = line === undefined ? undefined : fieldsIn(line);
  return record && { time: String(record['time']), detail: String(record['detail']) };
}
