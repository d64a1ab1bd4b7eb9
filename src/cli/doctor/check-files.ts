import { basename } from 'node:path';
import { isMailroomError } from '../../errors.ts';
import { errnoOf } from '../../host/file-system.ts';
import { quote } from '../../host/shell-word.ts';
import { actorLayout } from '../../message/layout.ts';
import type { RoomContext } from '../../room/context.ts';
import { contextOf } from '../../room/room.ts';
import { ACTOR_FILES } from './actor-files.ts';
import { READABLE, type DurableFile, type Place } from './durable-file.ts';
import type { Check, DoctorFinding } from './finding.ts';
import { MAILBOX_FILES } from './mailbox-files.ts';
import { ROOM_FILES } from './room-files.ts';
import { SESSION_FILES } from './session-files.ts';

/** Every durable file of a room; directories come before their content. */
export const DURABLE_FILES: readonly DurableFile[] = [
  ...ROOM_FILES,
  ...ACTOR_FILES,
  ...MAILBOX_FILES,
  ...SESSION_FILES,
];

const CHECK = 'files';
const ASIDE_BYTES = 4;

/**
 * Checks every durable file: that it exists, is of its kind, is readable, and is accepted by its reader. `--fix` only
 * recreates files that hold nothing irreplaceable, and deletes nothing: whatever lies in their place is set aside.
 */
export const checkFiles: Check = async (room, { fix }) => {
  const context = contextOf(room);
  const findings: DoctorFinding[] = [];
  const wrong: string[] = [];
  let looked = 0;
  for (const file of DURABLE_FILES) {
    for (const place of placesOf(context, file)) {
      // A fault of a directory is not reported again for all of its content.
      if (wrong.some((path) => place.path.startsWith(`${path}/`))) continue;
      looked += 1;
      const judged = judge(context, file, place);
      if (!judged) continue;
      const finding = fix ? await repaired(context, { file, place, judged }) : wrongFile(place, judged);
      if (finding.level === 'wrong') wrong.push(place.path);
      findings.push(finding);
    }
  }
  if (findings.length > 0) return findings;
  return [{ check: CHECK, level: 'ok', text: `the ${looked} files and directories that belong to the room are whole` }];
};

/** What is wrong with a file, and what can be done about it. */
interface FileFault {
  readonly fault: string;
  readonly hint: string;
  readonly repair?: 'make' | 'set aside' | 'allow';
}

function placesOf(context: RoomContext, file: DurableFile): readonly Place[] {
  try {
    return file.places(context);
  } catch (error) {
    // A directory that cannot be listed is a finding of its own.
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}

function judge(context: RoomContext, file: DurableFile, place: Place): FileFault | undefined {
  const { path } = place;
  const { mode = READABLE } = file;
  const hint = file.hint(context, place);
  const setsAside = (): Pick<FileFault, 'repair'> =>
    file.isReplaceable?.(context, place) ? { repair: 'set aside' } : {};
  try {
    const facts = context.host.files.lstat(path);
    if (!facts) {
      if (!file.isNeeded?.(context, place)) return undefined;
      return { fault: 'is missing', hint, ...(file.make ? { repair: 'make' } : {}) };
    }
    if (facts.kind === 'symlink') {
      const without = `Replace it by what it points to; or, if that is not needed, delete it: rm ${quote(path)}`;
      return { fault: 'is a symbolic link, but what belongs there must not lie elsewhere', hint: without };
    }
    if (facts.kind !== file.kind) return { fault: `is not a ${file.kind} (${facts.kind})`, hint, ...setsAside() };
    // On a system without users, modes mean nothing.
    if (context.host.processes.userId() !== undefined && (facts.mode & mode) !== mode) {
      const wanted = mode.toString(8);
      return {
        fault: `has a mode that does not let its owner use it (${(facts.mode & 0o777).toString(8)}, expected ${wanted} at least)`,
        hint,
        repair: 'allow',
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

function wrongFile({ path }: Place, { fault, hint, repair }: FileFault): DoctorFinding {
  const text = fault.includes(path) ? fault.replace(/\.$/, '') : `${path} ${fault}`;
  return { check: CHECK, level: 'wrong', text, hint: repair ? 'Repair it with: mailroom doctor --fix' : hint };
}

async function repaired(
  context: RoomContext,
  { file, place, judged }: { file: DurableFile; place: Place; judged: FileFault },
): Promise<DoctorFinding> {
  const { path } = place;
  const { repair } = judged;
  if (!repair) return wrongFile(place, judged);
  try {
    let how = 'created again';
    if (repair === 'allow') how = allow(context, file, path);
    if (repair === 'set aside') how = `set aside as ${setAside(context, place)}`;
    if (repair !== 'allow' && file.make && file.isNeeded?.(context, place) !== false) await file.make(context, place);
    const left = judge(context, file, place);
    return left
      ? wrongFile(place, { fault: left.fault, hint: left.hint })
      : { check: CHECK, level: 'ok', text: `repaired: ${path} was ${how}` };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const hint = isMailroomError(error) && error.hint ? error.hint : judged.hint;
    return wrongFile(place, { fault: `${judged.fault}, and could not be repaired: ${why}`, hint });
  }
}

function allow({ host }: RoomContext, { mode = READABLE }: DurableFile, path: string): string {
  const before = host.files.lstat(path)?.mode ?? 0;
  host.files.chmod(path, (before & 0o700) | mode);
  return 'made accessible to its owner';
}

/** Renames a file to one beside the actor's or the room's files, under a name that nothing reads. */
function setAside({ host, layout }: RoomContext, { path, address }: Place): string {
  const own = address === undefined ? layout.directory : actorLayout(layout, address).directory;
  const directory = path === own || !path.startsWith(`${own}/`) ? layout.directory : own;
  const aside = `${directory}/damaged.${host.randomBytes(ASIDE_BYTES).toString('hex')}.${basename(path)}`;
  host.files.rename(path, aside);
  return aside;
}
