import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const FRAME = /^\s+at (?:.*\()?((?:file:\/\/)?\/.+):(\d+):(\d+)\)?$/;

/**
 * Where a step threw an error, as `<file>:<line>:<column>`: the innermost place on its stack that is neither Mailroom's own code
 * nor a package's, and so the machine's. Undefined where there is none: XState throws an error of its own for one in a guard.
 */
export function placeOf(error: unknown): string | undefined {
  const own = ownDirectory();
  const isOwn = ({ file }: Frame): boolean => own !== undefined && file.startsWith(own);
  const frames = framesOf(error);
  const thrown = frames.slice(frames.findIndex((frame) => !isOwn(frame)));
  // Below lies whoever had the step taken.
  const end = thrown.findIndex(isOwn);
  const within = thrown.slice(0, end === -1 ? undefined : end);
  return within.filter(({ file }) => !file.includes('/node_modules/')).map(({ file, at }) => `${file}:${at}`)[0];
}

interface Frame {
  readonly file: string;
  readonly at: string;
}

function framesOf(error: unknown): Frame[] {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return [];
  return error.stack.split('\n').flatMap((line) => {
    const [, where, row, column] = FRAME.exec(line) ?? [];
    const file = where === undefined ? undefined : pathOf(where);
    return file === undefined ? [] : [{ file, at: `${row}:${column}` }];
  });
}

/** A path or a URL as a path, without the query that a loader puts behind it. */
function pathOf(where: string): string | undefined {
  try {
    return where.startsWith('file:') ? fileURLToPath(where.replace(/[?#].*$/, '')) : where.replace(/\?[^/]*$/, '');
  } catch {
    return undefined;
  }
}

/**
 * Told by a stack, because a bundle that is CommonJS has no other way to know where it lies. Code that was compiled in advance
 * has the name of a directory in which it was built.
 */
function ownDirectory(): string | undefined {
  const [frame] = framesOf(new Error('here'));
  return frame && (/^.*\/(?:src|dist)\//.exec(frame.file)?.[0] ?? `${dirname(frame.file)}/`);
}
