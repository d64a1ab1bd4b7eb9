import { ActorNotFound, isMailroomError, RateLimitExceeded } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { visible, visibleJson, visibleLines } from '../message/visible.ts';
import { OutputFailed } from './output.ts';
import { commandLine } from './shell-words.ts';

export interface ErrorReportOptions {
  readonly words: readonly string[];
  readonly isJson: boolean;
  readonly isDebug: boolean;
  /** Rewrites the `mailroom` commands in a text so that they run this same program when pasted. */
  readonly pasteable: (text: string) => string;
}

/** The text of an error for stderr: what failed and why, then what to do next; with `isDebug` also the stack. */
export function describeError(error: unknown, { words, isJson, isDebug, pasteable }: ErrorReportOptions): string {
  const { code, message, hint: said, more } = partsOf(error, words);
  const hint = said === undefined ? undefined : pasteable(said);
  const stack = isDebug ? stackOf(error) : undefined;
  if (isJson) return `${visibleJson({ error: { code, message, hint, ...more, stack } })}\n`;
  const hintLines = hint === undefined ? '' : `  ${visibleLines(hint).replaceAll('\n', '\n  ')}\n`;
  return `mailroom: ${visible(message)}\n${hintLines}${stack === undefined ? '' : `${visibleLines(stack)}\n`}`;
}

interface ErrorParts {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly more?: Readonly<Record<string, unknown>>;
}

function partsOf(error: unknown, words: readonly string[]): ErrorParts {
  if (error instanceof WithAdvice) return { ...partsOf(error.error, words), hint: error.hint };
  if (error instanceof OutputFailed) {
    const { code, message } = error;
    return { code, message, hint: 'Redirect the output elsewhere, or free some space there, then repeat the command.' };
  }
  if (error instanceof ActorNotFound) {
    const { code, message, address, nearest } = error;
    const at = words.indexOf(address);
    const hint =
      nearest !== undefined && at >= 0
        ? `Did you mean ${nearest}? Then: ${commandLine(words.with(at, nearest))}`
        : error.hint;
    return { code, message, hint, more: { address, nearest } };
  }
  if (error instanceof RateLimitExceeded) {
    const { code, message, hint, retryAt } = error;
    return { code, message, hint, more: { retryAt: new Date(retryAt).toISOString() } };
  }
  if (isMailroomError(error)) return { code: error.code, message: error.message, hint: error.hint };
  const message = error instanceof Error ? error.message : String(error);
  const errno = errnoOf(error);
  if (errno === undefined || !/^E[A-Z0-9]+$/.test(errno)) {
    return { code: 'INTERNAL', message, hint: `To see where: ${commandLine(['--debug', ...words])}` };
  }
  return { code: errno, message: `The system refused: ${message}.`, hint: hintOf(errno) };
}

function hintOf(errno: string): string {
  switch (errno) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'Free some space on the disk, then repeat the command.';
    case 'EMFILE':
    case 'ENFILE':
      return 'Close some programs or raise the limit of open files (ulimit -n), then repeat the command.';
    default:
      return 'See what is wrong with the room: mailroom doctor';
  }
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

/** An error with a better hint than the library's, which does not know the command line. */
export class WithAdvice extends Error {
  readonly error: Error;
  readonly hint: string;

  constructor(error: Error, hint: string) {
    super(error.message, { cause: error });
    this.name = 'WithAdvice';
    this.error = error;
    this.hint = hint;
  }
}
