// A file of settings that a program reads, which Mailroom edits and later leaves as it was.
//
// Beside it lies `<file>.mailroom-backup`: what it was before Mailroom's first change, or, where there was none and not even
// its directory, how many directories Mailroom made for it. The backup is written first and removed last, so whoever is
// killed in between leaves a backup too many, never one too few. The file itself is replaced by one rename.
import { basename, dirname, join } from 'node:path';
import { Conflict, InvalidInput } from '../../errors.ts';
import {
  createFileSynced,
  namesIn,
  readBounded,
  removeIfThere,
  removeQuietly,
  renameSettled,
} from '../../host/files.ts';
import { errnoOf } from '../../host/file-system.ts';
import type { Host } from '../../host/host.ts';
import { realPathOf } from '../../host/real-path.ts';
import { quote } from '../../host/shell-word.ts';

export const SETTINGS_BYTES_MAX = 4 * 1024 * 1024;
const MODE_OF_NEW = 0o666;
const PERMISSIONS = 0o7777;
const MADE = /^# There was no file here\. Mailroom made (\d) director(?:y|ies) for it\.\n$/;
const DIRECTORIES_MAX = 9;

export interface SettingsFile {
  /** As it was named; a link to the file itself is followed. */
  readonly path: string;
  /** Undefined where there is no file. */
  readonly text: string | undefined;
  /** Its text before Mailroom's first change; undefined where there was no file, or nobody knows. */
  readonly before: string | undefined;
}

type System = Pick<Host, 'files' | 'randomBytes'>;

/** Reads a file of settings. Throws `InvalidInput` for what is no text, too large or a link to nothing. */
export function readSettings({ files }: Pick<Host, 'files'>, path: string): SettingsFile {
  const backup = textAt(files, backupOf(path));
  const before = backup === undefined || MADE.test(backup) ? undefined : backup;
  return { path, text: textAt(files, path), before };
}

export function backupOf(path: string): string {
  return `${path}.mailroom-backup`;
}

/**
 * Writes what `edit` makes of the text, and a backup of the text when `isFirst`. Throws `Conflict` when somebody else keeps
 * writing the file.
 */
export async function writeSettings(
  host: System,
  { path, text: was }: SettingsFile,
  { text, isFirst }: { text: string; isFirst: boolean },
): Promise<void> {
  const { files } = host;
  const made = makeDirectories(host, dirname(path));
  const target = realPathOf(path) ?? path;
  const mode = files.lstat(target)?.mode;
  if (isFirst) {
    const record = was ?? (made === 0 ? undefined : madeText(made));
    removeIfThere(files, backupOf(path));
    if (record !== undefined) await createFileSynced(files, backupOf(path), Buffer.from(record), mode ?? MODE_OF_NEW);
    if (record !== undefined && mode !== undefined) files.chmod(backupOf(path), mode & PERMISSIONS);
  }
  const staged = join(dirname(target), `.${basename(target)}.${host.randomBytes(6).toString('hex')}`);
  try {
    await createFileSynced(files, staged, Buffer.from(text), mode ?? MODE_OF_NEW);
    if (mode !== undefined) files.chmod(staged, mode & PERMISSIONS);
    assertUnchanged(files, path, was);
    // At this rename the hooks are there, or gone.
    renameSettled(files, staged, target);
  } catch (error) {
    removeQuietly(files, staged);
    throw error;
  }
}

/** Removes a file that was not there at first, and the directories that were made for it and are empty. */
export function removeSettings({ files }: Pick<Host, 'files'>, { path, text }: SettingsFile): void {
  assertUnchanged(files, path, text);
  files.unlink(realPathOf(path) ?? path);
}

/** Removes the backup, and the empty directories that it tells of. */
export function forgetBackup({ files }: Pick<Host, 'files'>, path: string): void {
  const made = Number(MADE.exec(textAt(files, backupOf(path)) ?? '')?.[1] ?? 0);
  removeIfThere(files, backupOf(path));
  let directory = dirname(path);
  for (let count = 0; count < made; count++) {
    if (files.lstat(directory)?.kind !== 'directory' || namesIn(files, directory).length > 0) return;
    files.rmdir(directory);
    directory = dirname(directory);
  }
}

function textAt(files: Host['files'], path: string): string | undefined {
  const target = realPathOf(path);
  if (target === undefined) {
    if (files.lstat(path)?.kind === 'symlink') {
      throw new InvalidInput(`${path} is a link to nothing.`, { hint: `Remove it: rm ${quote(path)}` });
    }
    return undefined;
  }
  const read = readBounded(files, target, SETTINGS_BYTES_MAX);
  if ('unreadable' in read) {
    throw new InvalidInput(`${path} cannot be read: ${read.unreadable}.`, { hint: 'The file was left as it is.' });
  }
  const text = read.bytes.toString('utf8');
  if (Buffer.from(text).equals(read.bytes)) return text;
  throw new InvalidInput(`${path} is not UTF-8.`, { hint: 'Put it right, then repeat the command.' });
}

function assertUnchanged(files: Host['files'], path: string, was: string | undefined): void {
  if (textAt(files, path) === was) return;
  throw new Conflict(`${path} was changed by another program while it was being edited.`, {
    hint: 'Nothing was written to it. Repeat the command.',
  });
}

/** Makes a directory and those above it, and returns how many. */
function makeDirectories({ files }: Pick<Host, 'files'>, directory: string): number {
  const missing: string[] = [];
  for (let at = directory; files.lstat(at) === undefined && missing.length < DIRECTORIES_MAX; at = dirname(at)) {
    missing.push(at);
  }
  for (const path of missing.toReversed()) {
    try {
      files.mkdir(path, 0o777);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }
  return missing.length;
}

function madeText(count: number): string {
  return `# There was no file here. Mailroom made ${count} ${count === 1 ? 'directory' : 'directories'} for it.\n`;
}
