import { errnoOf } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import { isStandardOutputThere } from '../host/standard-output.ts';
import { jsonWithTexts } from '../message/exact-data.ts';
import { visibleJson, visibleJsonText, visibleLines } from '../message/visible.ts';

/** Whoever read the standard output has stopped, or there never was one. What was not written was not seen. */
export class OutputClosed extends Error {
  constructor(options?: { cause: unknown }) {
    super('the standard output was closed', options);
    this.name = 'OutputClosed';
  }
}

/** What was printed has not arrived: a full disk, or a descriptor that nobody may write to. */
export class OutputFailed extends Error {
  readonly code: string;

  constructor({ cause }: { cause: unknown }) {
    super(`The output could not be written (${cause instanceof Error ? cause.message : String(cause)}).`, { cause });
    this.name = 'OutputFailed';
    this.code = errnoOf(cause) ?? 'INTERNAL';
  }
}

/** One JSON document on a line, or text. */
export type Report = { readonly json: unknown } | { readonly text: string };

/**
 * The two streams of a command: data on stdout, talk on stderr. Nothing that is written to them acts on a terminal; whoever
 * writes says what is one line (`visible`) and what may be several.
 */
export interface Output {
  /** Whether there is a standard output. What has to be seen before it counts asks this before it begins. */
  isThere(): boolean;
  /** Resolves when all of it was taken. Throws `OutputClosed` and `OutputFailed`: only for what may be asked for again. */
  data(text: string): Promise<void>;
  /** One JSON document on a line, nothing in it that acts on a terminal. Throws as `data` does. */
  json(value: unknown): Promise<void>;
  /**
   * The same for what a command has done. That stands whatever becomes of the output, so it never throws: where the standard
   * output does not take the report, stderr says so and has the report.
   */
  report(report: Report): Promise<void>;
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
      throw new OutputFailed({ cause: error });
    }
  };
  const talk = async (text: string): Promise<void> => {
    try {
      await write(STDERR, text);
    } catch {
      // There is nobody left to tell.
    }
  };
  const report = async (made: Report): Promise<void> => {
    try {
      await data('json' in made ? `${visibleJson(made.json)}\n` : made.text);
    } catch (error) {
      if (error instanceof OutputFailed) await talk(notReported(made, error));
      else if (!(error instanceof OutputClosed)) throw error;
    }
  };
  return {
    isThere,
    data,
    json: (value) => data(`${visibleJsonText(jsonWithTexts(value))}\n`),
    report,
    talk,
    advise: (text) => talk(pasteable(text)),
  };
}

/** Said on stderr in place of a report that the standard output did not take. */
function notReported(report: Report, { message, code }: OutputFailed): string {
  const said = `${message} Do not repeat the command, it has done this`;
  if ('json' in report) return `${visibleJson({ warning: { code, message: `${said}.`, done: report.json } })}\n`;
  const lines = report.text.trimEnd().split('\n');
  return `mailroom: ${said}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}
