import { isWireEvent, type WireEvent } from '../durable/inspect-wire.ts';
import { InvalidInput } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { readBounded } from '../host/files.ts';
import type { Host } from '../host/host.ts';

const FILE_BYTES_MAX = 256 * 1024 * 1024;

/** The events that `mailroom inspect --jsonl` wrote to a file. Throws InvalidInput with the line that is none. */
export function readInspection({ files }: Pick<Host, 'files'>, path: string): WireEvent[] {
  const lines = readLines(files, path);
  return lines.flatMap((line, index) => {
    if (line === '') return [];
    const event = parsed(line);
    if (isWireEvent(event)) return [event];
    throw new InvalidInput(`Line ${index + 1} of ${path} is no event of the inspector.`, {
      hint: 'Give a file that was written by: mailroom inspect --jsonl',
    });
  });
}

function readLines(files: Host['files'], path: string): string[] {
  try {
    const read = readBounded(files, path, FILE_BYTES_MAX);
    if ('bytes' in read) return read.bytes.toString('utf8').split('\n');
    throw new InvalidInput(`${path} cannot be replayed: ${read.unreadable}.`);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new InvalidInput(`There is no file ${path}.`, {
      hint: 'Write one: mailroom inspect --jsonl > inspect.jsonl',
    });
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
