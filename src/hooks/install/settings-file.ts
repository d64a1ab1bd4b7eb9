// A program's settings file, which Mailroom edits and later restores.
//
// `<file>.mailroom-backup` beside it holds the content before Mailroom's first change or, if neither the file nor its directory
// existed, the number of directories that Mailroom created for it. The backup is written first and removed last, so a kill in
// between leaves a backup too many, never one too few. The file itself is replaced by one rename.
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
  /** The path as given; a symbolic link is followed. */
  readonly path: string;
  /** Undefined if there is no file. */
  readonly text: string | undefined;
  /** The text before Mailroom's first change; undefined if there was no file, or it is not known. */
  readonly before: string | undefined;
}

export type SettingsHost = Pick<Host, 'files' | 'randomBytes'>;

/** Reads a settings file. Throws `InvalidInput` for a file that is not text, or too large, and for a dangling link. */
export function readSettings({ files }: Pick<Host, 'files'>, path: string): SettingsFile {
  const backup = textAt(files, backupOf(path));
  const before = backup === undefined || MADE.test(backup) ? undefined : backup;
  return { path, text: textAt(files, path), before };
}

export function backupOf(path: string): string {
  return `${path}.mailroom-backup`;
}

/**
 * Writes the new text and, if `isFirst`, first a backup of the old one. Throws `Conflict` if another program has changed the
 * file since it was read.
 */
export async function writeSettings(
  host: SettingsHost,
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

/** Removes a file that Mailroom created. */
export function removeSettings({ files }: Pick<Host, 'files'>, { path, text }: SettingsFile): void {
  assertUnchanged(files, path, text);
  files.unlink(realPathOf(path) ?? path);
}

/** Removes the backup, and the directories that Mailroom created for the file, if they are empty. */
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
  throw new InvalidInput(`${path} is not UTF-8.`, { hint: 'Fix it, then repeat the command.' });
}

function assertUnchanged(files: Host['files'], path: string, was: string | undefined): void {
  if (textAt(files, path) === was) return;
  throw new Conflict(`${path} was changed by another program while it was being edited.`, {
    hint: 'Nothing was written to it. Repeat the command.',
  });
}

/** Creates a directory and its missing parents. Returns how many it created. */
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
