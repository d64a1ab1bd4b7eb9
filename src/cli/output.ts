import { errnoOf } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import { isStandardOutputThere } from '../host/standard-output.ts';
import { jsonWithTexts } from '../message/exact-data.ts';
import { visibleJson, visibleJsonText, visibleLines } from '../message/visible.ts';

/** The reader of the standard output is gone, or there is no standard output. What was not written was not seen. */
export class OutputClosed extends Error {
  constructor(options?: { cause: unknown }) {
    super('the standard output was closed', options);
    this.name = 'OutputClosed';
  }
}

/** The output did not arrive: the disk is full, or the descriptor is not writable. */
export class OutputFailed extends Error {
  readonly code: string;

  constructor({ cause }: { cause: unknown }) {
    super(`The output could not be written (${cause instanceof Error ? cause.message : String(cause)}).`, { cause });
    this.name = 'OutputFailed';
    this.code = errnoOf(cause) ?? 'INTERNAL';
  }
}

/** One JSON document on a line, or text. */
export type OutputReport = { readonly json: unknown } | { readonly text: string };

/**
 * The two streams of a command: data on stdout, talk on stderr. Control characters written to them are escaped; the caller
 * decides what is one line (`visible`) and what may be several.
 */
export interface Output {
  /** Whether there is a standard output. A command whose output must be seen before it takes effect asks this first. */
  isThere(): boolean;
  /** Resolves when everything was written. Throws `OutputClosed` and `OutputFailed`, so it is only for output of commands that may be repeated. */
  data(text: string): Promise<void>;
  /** Writes one JSON document on a line, with control characters escaped. Throws as `data` does. */
  json(value: unknown): Promise<void>;
  /**
   * Writes what a command has done. That is done whatever happens to the output, so it never throws: if the standard output
   * does not take the report, stderr says so and gets the report.
   */
  report(report: OutputReport): Promise<void>;
  /** For people. Nothing depends on it, so it never throws. */
  talk(text: string): Promise<void>;
  /** The same for a text with `mailroom` commands, rewritten so that they run this same program when pasted. */
  advise(text: string): Promise<void>;
}

const STDOUT = 1;
const STDERR = 2;
const FULL_PIPE_WAIT_MS = 2;

/** Writes to the descriptors directly: Node's streams take several ms to create, and do not tell when they are done. */
export function createOutput(host: Pick<Host, 'files' | 'clock'>, pasteable: (text: string) => string): Output {
  const write = async (fd: number, text: string): Promise<void> => {
    const bytes = Buffer.from(visibleLines(text));
    let written = 0;
    while (written < bytes.length) {
      try {
        written += host.files.write(fd, bytes, written, bytes.length - written);
      } catch (error) {
        // A pipe that another process made non-blocking is full; a blocking pipe would wait here as well.
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
  const report = async (made: OutputReport): Promise<void> => {
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

/** Written to stderr in place of a report that the standard output did not take. */
function notReported(report: OutputReport, { message, code }: OutputFailed): string {
  const said = `${message} Do not repeat the command; it has done this`;
  if ('json' in report) return `${visibleJson({ warning: { code, message: `${said}.`, done: report.json } })}\n`;
  const lines = report.text.trimEnd().split('\n');
  return `mailroom: ${said}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}
