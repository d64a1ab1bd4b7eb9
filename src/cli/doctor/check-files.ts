import { basename } from 'node:path';
import { isMailroomError } from '../../errors.ts';
import { errnoOf } from '../../host/file-system.ts';
import { quote } from '../../host/shell-word.ts';
import { actorLayout } from '../../message/layout.ts';
import type { RoomContext } from '../../room/context.ts';
import { contextOf } from '../../room/room.ts';
import { ACTOR_FILES } from './actor-files.ts';
import { READABLE, type DurableFile, type Place } from './durable-file.ts';
import type { Check, Finding } from './finding.ts';
import { MAILBOX_FILES } from './mailbox-files.ts';
import { ROOM_FILES } from './room-files.ts';
import { SESSION_FILES } from './session-files.ts';

/** Every durable file of a room, parents before what lies in them. */
export const DURABLE_FILES: readonly DurableFile[] = [
  ...ROOM_FILES,
  ...ACTOR_FILES,
  ...MAILBOX_FILES,
  ...SESSION_FILES,
];

const CHECK = 'files';
const ASIDE_BYTES = 4;

/**
 * Goes through every durable file: whether it is there, of its kind, readable, and what its reader believes. `--fix` only
 * makes what holds nothing that could not be made again, and deletes nothing: what lies in its place is set aside.
 */
export const checkFiles: Check = async (room, { fix }) => {
  const context = contextOf(room);
  const findings: Finding[] = [];
  const wrong: string[] = [];
  let looked = 0;
  for (const file of DURABLE_FILES) {
    for (const place of placesOf(context, file)) {
      // What is wrong with a directory is wrong with all that belongs in it.
      if (wrong.some((path) => place.path.startsWith(`${path}/`))) continue;
      looked += 1;
      const judged = judge(context, file, place);
      if (!judged) continue;
      const finding = fix ? await mended(context, { file, place, judged }) : told(place, judged);
      if (finding.level === 'wrong') wrong.push(place.path);
      findings.push(finding);
    }
  }
  if (findings.length > 0) return findings;
  return [{ check: CHECK, level: 'ok', text: `the ${looked} files and directories that belong to the room are whole` }];
};

/** What is wrong with a file, and what can be done. */
interface Judged {
  readonly fault: string;
  readonly hint: string;
  readonly mend?: 'make' | 'set aside' | 'allow';
}

function placesOf(context: RoomContext, file: DurableFile): readonly Place[] {
  try {
    return file.places(context);
  } catch (error) {
    // A directory that may not be listed is itself a finding.
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}

function judge(context: RoomContext, file: DurableFile, place: Place): Judged | undefined {
  const { path } = place;
  const { mode = READABLE } = file;
  const hint = file.hint(context, place);
  const setsAside = (): Pick<Judged, 'mend'> => (file.isReplaceable?.(context, place) ? { mend: 'set aside' } : {});
  try {
    const facts = context.host.files.lstat(path);
    if (!facts) {
      if (!file.isNeeded?.(context, place)) return undefined;
      return { fault: 'is missing', hint, ...(file.make ? { mend: 'make' } : {}) };
    }
    if (facts.kind === 'symlink') {
      const without = `Put what it points to in its place; or, if that is not needed, do without it: rm ${quote(path)}`;
      return { fault: 'is a symbolic link, and what belongs there may not lie elsewhere', hint: without };
    }
    if (facts.kind !== file.kind) return { fault: `is no ${file.kind} (${facts.kind})`, hint, ...setsAside() };
    // Where there are no users, there are no modes that mean anything.
    if (context.host.processes.userId() !== undefined && (facts.mode & mode) !== mode) {
      const wanted = mode.toString(8);
      return {
        fault: `has a mode that does not let its owner use it (${(facts.mode & 0o777).toString(8)}, expected ${wanted} at least)`,
        hint,
        mend: 'allow',
      };
    }
    file.read?.(context, place);
    const fault = file.fault?.(context, place);
    return fault === undefined ? undefined : { fault, hint, ...setsAside() };
  } catch (error) {
    if (isMailroomError(error)) return { fault: error.message, hint: error.hint ?? hint, ...setsAside() };
    if (errnoOf(error) === undefined) throw error;
    return { fault: `cannot be read (${errnoOf(error)})`, hint, ...setsAside() };
  }
}

function told({ path }: Place, { fault, hint, mend }: Judged): Finding {
  const text = fault.includes(path) ? fault.replace(/\.$/, '') : `${path} ${fault}`;
  return { check: CHECK, level: 'wrong', text, hint: mend ? 'Mend it with: mailroom doctor --fix' : hint };
}

async function mended(
  context: RoomContext,
  { file, place, judged }: { file: DurableFile; place: Place; judged: Judged },
): Promise<Finding> {
  const { path } = place;
  const { mend } = judged;
  if (!mend) return told(place, judged);
  try {
    let how = 'made again';
    if (mend === 'allow') how = allow(context, file, path);
    if (mend === 'set aside') how = `set aside as ${setAside(context, place)}`;
    if (mend !== 'allow' && file.make && file.isNeeded?.(context, place) !== false) await file.make(context, place);
    const left = judge(context, file, place);
    return left
      ? told(place, { fault: left.fault, hint: left.hint })
      : { check: CHECK, level: 'ok', text: `mended: ${path} was ${how}` };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const hint = isMailroomError(error) && error.hint ? error.hint : judged.hint;
    return told(place, { fault: `${judged.fault}, and could not be mended: ${why}`, hint });
  }
}

function allow({ host }: RoomContext, { mode = READABLE }: DurableFile, path: string): string {
  const before = host.files.lstat(path)?.mode ?? 0;
  host.files.chmod(path, (before & 0o700) | mode);
  return 'given back to its owner';
}

/** Beside what it belongs to, under a name that nobody looks for. */
function setAside({ host, layout }: RoomContext, { path, address }: Place): string {
  const own = address === undefined ? layout.directory : actorLayout(layout, address).directory;
  const directory = path === own || !path.startsWith(`${own}/`) ? layout.directory : own;
  const aside = `${directory}/damaged.${host.randomBytes(ASIDE_BYTES).toString('hex')}.${basename(path)}`;
  host.files.rename(path, aside);
  return aside;
}
