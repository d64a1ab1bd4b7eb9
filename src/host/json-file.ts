import { dirname } from 'node:path';
import { errnoOf, type FileSystem } from './file-system.ts';
import { publishFile, readBounded, replaceFile, stagedPath } from './files.ts';
import type { Host } from './host.ts';

/** A JSON object; its fields are unchecked. */
export type Fields = Readonly<Record<string, unknown>>;

interface JsonFile {
  readonly path: string;
  readonly value: object;
  /** Where the file is staged; on the same file system. Default: the directory of `path`. */
  readonly staging?: string;
  /** Whether it survives a power loss. Default: true. */
  readonly durable?: boolean;
  /** Spaces to indent by. Default: none, everything on one line. */
  readonly indent?: number;
}

type Writing = Pick<Host, 'files' | 'randomBytes'>;

/** Creates a JSON file atomically. The first writer wins: false, with nothing changed, if the file exists. */
export function publishJson(host: Writing, file: JsonFile): Promise<boolean> {
  return publishFile(host.files, wholeFile(host, file));
}

/** Replaces a JSON file atomically. */
export function replaceJson(host: Writing, file: JsonFile): Promise<void> {
  return replaceFile(host.files, wholeFile(host, file));
}

function wholeFile({ randomBytes }: Writing, file: JsonFile): Parameters<typeof publishFile>[1] {
  const { path, value, staging = dirname(path), durable = true, indent } = file;
  const bytes = Buffer.from(`${JSON.stringify(value, null, indent)}\n`);
  return { path, staged: stagedPath(staging, randomBytes), bytes, mode: 0o600, durable };
}

/** The content of a JSON file, or what is wrong with it. */
type JsonRead = { readonly fields: Fields } | { readonly fault: string; readonly cause?: unknown };

/** Reads a file with a JSON object of at most `bytesMax` bytes; undefined if there is no file. */
export function readJson(files: FileSystem, path: string, bytesMax: number): JsonRead | undefined {
  let read: ReturnType<typeof readBounded>;
  try {
    read = readBounded(files, path, bytesMax);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  if ('unreadable' in read) return { fault: read.unreadable };
  try {
    const value: unknown = JSON.parse(read.bytes.toString('utf8'));
    return isFields(value) ? { fields: value } : { fault: 'it is JSON, but not an object' };
  } catch (cause) {
    return { fault: `it is not JSON (${read.bytes.length} bytes)`, cause };
  }
}

/** The JSON object in a text; undefined if the text is missing, is not JSON, or is something else. */
export function fieldsIn(text: string | undefined): Fields | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
