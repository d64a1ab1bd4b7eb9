import { errnoOf } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import { isStandardOutputThere } from '../host/standard-output.ts';
import { visibleJson, visibleLines } from '../message/visible.ts';

/** Whoever read the standard output has stopped, or there never was one. What was not written was not seen. */
export class OutputClosed extends Error {
  constructor(options?: { cause: unknown }) {
    super('the standard output was closed', options);
    this.name = 'OutputClosed';
  }
}

/**
 * The two streams of a command: data on stdout, talk on stderr. Nothing that is written to them acts on a terminal; whoever
 * writes says what is one line (`visible`) and what may be several.
 */
export interface Output {
  /** Whether there is a standard output. What has to be seen before it counts asks this before it begins. */
  isThere(): boolean;
  /** Resolves when all of it was taken. Throws `OutputClosed`. */
  data(text: string): Promise<void>;
  /** One JSON document on a line, nothing in it that acts on a terminal. Throws `OutputClosed`. */
  json(value: unknown): Promise<void>;
  /** For people. Nothing depends on it, so it never throws. */
  talk(text: string): Promise<void>;
  /** The same for a text with commands of ours in it, which run this very program when they are pasted. */
  advise(text: string): Promise<void>;
}

const STDOUT = 1;
const STDERR = 2;
const FULL_PIPE_WAIT_MS = 2;

/** Writes to the descriptors themselves: the streams of Node cost several ms to make, and do not say when they are done. */
export function createOutput(host: Pick<Host, 'files' | 'clock'>, pasteable: (text: string) => string): Output {
  const write = async (fd: number, text: string): Promise<void> => {
    const bytes = Buffer.from(visibleLines(text));
    let written = 0;
    while (written < bytes.length) {
      try {
        written += host.files.write(fd, bytes, written, bytes.length - written);
      } catch (error) {
        // A pipe that somebody made non-blocking is full; a blocking one would wait as well.
        if (errnoOf(error) !== 'EAGAIN') throw error;
        await host.clock.sleep(FULL_PIPE_WAIT_MS);
      }
    }
  };
  let there: boolean | undefined;
  const isThere = (): boolean => (there ??= isStandardOutputThere());
  const data = async (text: string): Promise<void> => {
    if (!isThere()) throw new OutputClosed();
    try {
      await write(STDOUT, text);
    } catch (error) {
      if (errnoOf(error) === 'EPIPE') throw new OutputClosed({ cause: error });
      throw error;
    }
  };
  const talk = async (text: string): Promise<void> => {
    try {
      await write(STDERR, text);
    } catch {
      // There is nobody left to tell.
    }
  };
  return {
    isThere,
    data,
    json: (value) => data(`${visibleJson(value)}\n`),
    talk,
    advise: (text) => talk(pasteable(text)),
  };
}
