import { basename, dirname, join, resolve, sep } from 'node:path';
import { Conflict, InvalidInput } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { readBounded, replaceFile, stagedPath } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { realPathOf } from '../host/real-path.ts';
import { quote } from '../host/shell-word.ts';
import { ROOM_DIRECTORY, roomLayout } from '../message/layout.ts';
import { WithAdvice } from './report-error.ts';
import { WHAT_MAIL_IS } from './help-text.ts';
import { withBlock } from './marked-block.ts';

const AGENTS_FILE = 'AGENTS.md';
/** Files that some programs read instead; a line `@<path>` in them imports that file. */
const IMPORTING_FILES = ['CLAUDE.md', 'GEMINI.md'];
const IMPORT = `@${AGENTS_FILE}`;
const BYTES_MAX = 1024 * 1024;
const MODE_OF_NEW = 0o666;
const OWNER_WRITE = 0o200;

/** The note for every agent of a project, in the file that its program reads anyway. ASCII, so that it fits any encoding of the file. */
export const AGENTS_NOTE: readonly string[] = [
  'Other agents work here: `mailroom agents`. No address? `mailroom join <name>`, then add `--as <name>`.',
  'Read mail first and after each task: `mailroom read`. Answer: `mailroom reply <id> INFO "text"`.',
  'Ask: `mailroom send <to> QUESTION "text"`. Wait in the background: `mailroom inbox --wait 10m --headers`.',
  WHAT_MAIL_IS,
];

/** The change to one instruction file of a project. */
export interface NoteFile {
  readonly path: string;
  readonly change: 'created' | 'updated' | 'unchanged' | 'left alone';
}

interface Edit extends NoteFile {
  /** Its path with symbolic links resolved. */
  readonly real: string;
  readonly bytes: Buffer;
  /** Its previous content; undefined for a new file. */
  readonly before: Buffer | undefined;
  /** Undefined for a new file. */
  readonly mode: number | undefined;
}

/**
 * Plans the edits that tell a project's agents about its room: a marked block in AGENTS.md, and in an existing CLAUDE.md or
 * GEMINI.md a marked line that imports AGENTS.md, unless the file imports it already. A link that leads out of the project
 * is left alone. Writes nothing. Throws `InvalidInput` for a room not named `.mailroom`, `Conflict` for a file that cannot
 * be edited without loss.
 */
export function planNotes(host: Host, room: string): readonly Edit[] {
  const directory = resolve(room);
  if (basename(directory) !== ROOM_DIRECTORY) {
    throw new InvalidInput(
      `--agents-md writes ${AGENTS_FILE} beside a directory ${ROOM_DIRECTORY}; this room is ${directory}.`,
      { hint: `Omit --agents-md, or create the room at: ${quote(join(directory, ROOM_DIRECTORY))}` },
    );
  }
  const project = dirname(directory);
  const agents = planFile(host, { project, name: AGENTS_FILE, lines: () => AGENTS_NOTE });
  if (!agents || agents.change === 'left alone') {
    throw new Conflict(`${join(project, AGENTS_FILE)} is a link that leads out of the project, or nowhere.`, {
      hint: 'Put a file of the project in its place, then repeat the command.',
    });
  }
  const edits = new Map([[agents.real, agents]]);
  for (const name of IMPORTING_FILES) {
    if (!host.files.lstat(join(project, name))) continue;
    const edit = planFile(host, { project, name, lines: (text) => (isImporting(text) ? undefined : [IMPORT]) });
    if (edit && !edits.has(edit.real)) edits.set(edit.real, edit);
  }
  return [...edits.values()];
}

/**
 * Writes the planned edits, each file atomically. Throws the system error with a hint, and `Conflict` for a file that was
 * changed since it was planned.
 */
export async function writeNotes(host: Host, room: string, edits: readonly Edit[]): Promise<void> {
  for (const { path, real, bytes, before, mode, change } of edits) {
    if (change === 'unchanged' || change === 'left alone') continue;
    assertUnchanged(host, { path, real, before });
    const write = (directory: string): Promise<void> => {
      const staged = stagedPath(directory, host.randomBytes);
      return replaceFile(host.files, {
        path: real,
        staged,
        bytes,
        mode: (mode ?? MODE_OF_NEW) & 0o7777,
        durable: true,
      });
    };
    try {
      await write(roomLayout(resolve(room)).tmp).catch((error: unknown) => {
        // A room mounted into a sandbox is on a file system of its own, so no rename can cross from it.
        if (errnoOf(error) !== 'EXDEV') throw error;
        return write(dirname(real));
      });
      // The umask of this process has removed bits from the mode that the file was created with.
      if (mode !== undefined && host.files.lstat(real)?.mode !== mode) host.files.chmod(real, mode & 0o7777);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new WithAdvice(
        error,
        `The room exists; ${path} was not written. Make it and its directory writable, then repeat the command.`,
      );
    }
  }
}

function planFile(
  host: Host,
  { project, name, lines }: { project: string; name: string; lines: (text: string) => readonly string[] | undefined },
): Edit | undefined {
  const path = join(project, name);
  const facts = host.files.lstat(path);
  const real = facts ? realPathOf(path) : path;
  const root = realPathOf(project);
  const isWithin = !facts || (real !== undefined && root !== undefined && real.startsWith(`${root}${sep}`));
  if (real === undefined || !isWithin) {
    return {
      path,
      change: 'left alone',
      real: real ?? path,
      bytes: Buffer.alloc(0),
      before: undefined,
      mode: undefined,
    };
  }
  const bytes = facts ? readWhole(host, real) : Buffer.alloc(0);
  // In latin1 each byte is one character, so every byte is kept, whatever the encoding.
  const text = bytes.toString('latin1');
  const wanted = lines(text);
  const written = wanted ? Buffer.from(withBlock(text, { path, lines: wanted }), 'latin1') : bytes;
  const change = !facts ? 'created' : written.equals(bytes) ? 'unchanged' : 'updated';
  return { path, change, real, bytes: written, before: facts && bytes, mode: host.files.lstat(real)?.mode };
}

function assertUnchanged(host: Host, { path, real, before }: Pick<Edit, 'path' | 'real' | 'before'>): void {
  const now = host.files.lstat(real) ? readWhole(host, real) : undefined;
  if (before === undefined ? now === undefined : now?.equals(before)) return;
  throw new Conflict(`${path} was changed by another program while it was being edited.`, {
    hint: 'The room exists, and nothing was written to that file. Repeat the command.',
  });
}

function readWhole(host: Host, path: string): Buffer {
  const read = readBounded(host.files, path, BYTES_MAX);
  const isReadOnly = ((host.files.lstat(path)?.mode ?? OWNER_WRITE) & OWNER_WRITE) === 0;
  const fault = 'unreadable' in read ? read.unreadable : isReadOnly ? 'it is read-only' : faultIn(read.bytes);
  if ('bytes' in read && fault === undefined) return read.bytes;
  throw new Conflict(`${path} was left as it is: ${fault}.`, {
    hint: 'Fix that and repeat the command, or tell your agents about the room by hand.',
  });
}

function faultIn(bytes: Buffer): string | undefined {
  return bytes.includes(0) ? 'it is not UTF-8 or ASCII text' : undefined;
}

/** Whether the file imports AGENTS.md already: `@AGENTS.md` outside of code and comments. */
function isImporting(text: string): boolean {
  const prose = text.replace(/^ {0,3}(`{3,}|~{3,}).*?^ {0,3}\1/gms, '').replace(/<!--.*?-->|`[^`\n]*`/gs, '');
  return /(?:^|\s)@(?:\.\/)?AGENTS\.md(?![\w/-]|\.\w)/.test(prose);
}
