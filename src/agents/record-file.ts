import { dirname } from 'node:path';
import { Conflict } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { ensureDirectory, publishFile, readBounded, replaceFile, stagedPath, syncDirectory } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { namesIn } from '../host/names-in.ts';
import { quote } from '../host/shell-word.ts';

const RECORD_BYTES_MAX = 16 * 1024 * 1024;

type Files = Pick<Host, 'files' | 'randomBytes'>;

/** Puts up a record, whole and on the disk; false, and nothing changed, when there is one already. */
export async function publishRecord(host: Files, path: string, value: object): Promise<boolean> {
  return publishFile(host.files, await wholeFile(host, path, value));
}

/** Puts a record in place of the one before it, whole and on the disk. */
export async function replaceRecord(host: Files, path: string, value: object): Promise<void> {
  await replaceFile(host.files, await wholeFile(host, path, value));
}

/**
 * Reads a record; undefined when there is none. `parse` returns undefined for what it does not understand: then, and for
 * what is no JSON, throws Conflict, because to go on without it could answer a question twice.
 */
export function readRecord<T>(
  { files }: Files,
  path: string,
  parse: (value: Readonly<Record<string, unknown>>) => T | undefined,
): T | undefined {
  let read: ReturnType<typeof readBounded>;
  try {
    read = readBounded(files, path, RECORD_BYTES_MAX);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const value = 'bytes' in read ? objectIn(read.bytes.toString('utf8')) : undefined;
  const parsed = value?.['v'] === 1 ? parse(value) : undefined;
  if (parsed !== undefined) return parsed;
  throw new Conflict(`The record ${path} cannot be believed; Mailroom writes it whole or not at all.`, {
    hint: `Inspect it, then delete it; its work runs again: rm -r ${quote(path)}`,
  });
}

/** Removes a directory that holds files only; nothing happens where there is none. */
export function removeDirectory(host: Files, directory: string): void {
  try {
    for (const name of namesIn(host.files, directory)) host.files.unlink(`${directory}/${name}`);
    host.files.rmdir(directory);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** Makes a directory and those above it that are missing; each is on the disk before what lies in it. */
export async function ensureRecordDirectory(host: Files, directory: string): Promise<void> {
  const { files } = host;
  if (files.lstat(directory) !== undefined) return;
  await ensureRecordDirectory(host, dirname(directory));
  if (ensureDirectory(files, directory)) await syncDirectory(files, dirname(directory));
}

async function wholeFile(host: Files, path: string, value: object): Promise<Parameters<typeof publishFile>[1]> {
  const directory = dirname(path);
  await ensureRecordDirectory(host, directory);
  const bytes = Buffer.from(`${JSON.stringify({ v: 1, ...value })}\n`);
  return { path, staged: stagedPath(directory, host.randomBytes), bytes, mode: 0o600, durable: true };
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
