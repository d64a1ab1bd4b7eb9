import { basename, dirname, join, resolve, sep } from 'node:path';
import { Conflict, InvalidInput } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { readBounded, replaceFile, stagedPath } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { realPathOf } from '../host/real-path.ts';
import { quote } from '../host/shell-word.ts';
import { ROOM_DIRECTORY, roomLayout } from '../message/layout.ts';
import { Advised } from './report-error.ts';
import { WHAT_MAIL_IS } from './help-text.ts';
import { withBlock } from './marked-block.ts';

const AGENTS_FILE = 'AGENTS.md';
/** Files of programs that read them instead, and take in what a line `@<path>` names. */
const IMPORTING_FILES = ['CLAUDE.md', 'GEMINI.md'];
const IMPORT = `@${AGENTS_FILE}`;
const BYTES_MAX = 1024 * 1024;
const MODE_OF_NEW = 0o666;
const OWNER_WRITE = 0o200;

/** What every agent of a project is told in the file that its program reads anyway. ASCII, so that it fits any encoding of that file. */
export const AGENTS_NOTE: readonly string[] = [
  'Other agents work here: `mailroom agents`. No address? `mailroom join <name>`, then add `--as <name>`.',
  'Read mail first and after each task: `mailroom read`. Answer: `mailroom reply <id> INFO "text"`.',
  'Ask: `mailroom send <to> QUESTION "text"`. Wait in the background: `mailroom inbox --wait 10m --headers`.',
  WHAT_MAIL_IS,
];

/** What becomes of one instruction file of a project. */
export interface NoteFile {
  readonly path: string;
  readonly change: 'created' | 'updated' | 'unchanged' | 'left alone';
}

interface Edit extends NoteFile {
  /** Where it lies, links followed. */
  readonly real: string;
  readonly bytes: Buffer;
  /** What was in it; undefined for a file that is new. */
  readonly before: Buffer | undefined;
  /** Undefined for a file that is new. */
  readonly mode: number | undefined;
}

/**
 * What to write so that the agents of the project around a room are told of it: a marked block in AGENTS.md, and where
 * CLAUDE.md or GEMINI.md exist, a marked line that imports it, unless they do. A file that a link leads out of the project
 * to is left alone. Nothing is written yet. Throws `InvalidInput` for a room that is no `.mailroom`, `Conflict` for a file
 * that cannot be edited without a loss.
 */
export function planNotes(host: Host, room: string): readonly Edit[] {
  const directory = resolve(room);
  if (basename(directory) !== ROOM_DIRECTORY) {
    throw new InvalidInput(
      `--agents-md writes ${AGENTS_FILE} beside a directory ${ROOM_DIRECTORY}; this room is ${directory}.`,
      { hint: `Leave --agents-md out, or make the room at: ${quote(join(directory, ROOM_DIRECTORY))}` },
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
 * Writes what was planned, each file at one instant. Throws the system's error, with what to do, and `Conflict` for a file that
 * somebody has changed since.
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
        // A room that is mounted into a sandbox lies on a file system of its own.
        if (errnoOf(error) !== 'EXDEV') throw error;
        return write(dirname(real));
      });
      // What a file is made with, the umask of this process takes away from.
      if (mode !== undefined && host.files.lstat(real)?.mode !== mode) host.files.chmod(real, mode & 0o7777);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new Advised(
        error,
        `The room is there; ${path} was not written. Make it and its directory writable, then repeat the command.`,
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
  // Each byte a character, so that every byte is kept whatever the encoding.
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
    hint: 'The room is there, and nothing was written to that file. Repeat the command.',
  });
}

function readWhole(host: Host, path: string): Buffer {
  const read = readBounded(host.files, path, BYTES_MAX);
  const isReadOnly = ((host.files.lstat(path)?.mode ?? OWNER_WRITE) & OWNER_WRITE) === 0;
  const fault = 'unreadable' in read ? read.unreadable : isReadOnly ? 'it is read-only' : faultIn(read.bytes);
  if ('bytes' in read && fault === undefined) return read.bytes;
  throw new Conflict(`${path} was left as it is: ${fault}.`, {
    hint: 'Mend that and repeat the command, or tell your agents about the room by hand.',
  });
}

function faultIn(bytes: Buffer): string | undefined {
  return bytes.includes(0) ? 'it is no text in UTF-8 or ASCII' : undefined;
}

/** Whether the file takes in AGENTS.md already: `@AGENTS.md` outside of code and comments. */
function isImporting(text: string): boolean {
  const prose = text.replace(/^ {0,3}(`{3,}|~{3,}).*?^ {0,3}\1/gms, '').replace(/<!--.*?-->|`[^`\n]*`/gs, '');
  return /(?:^|\s)@(?:\.\/)?AGENTS\.md(?![\w/-]|\.\w)/.test(prose);
}
