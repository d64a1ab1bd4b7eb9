import { ActorNotFound, isMailroomError, RateLimitExceeded } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { visible, visibleJson, visibleLines } from '../message/visible.ts';
import { OutputFailed } from './output.ts';
import { commandLine } from './shell-words.ts';

export interface Told {
  readonly words: readonly string[];
  readonly isJson: boolean;
  readonly isDebug: boolean;
  /** Has commands of ours in a text run this very program when they are pasted. */
  readonly pasteable: (text: string) => string;
}

/** An error as it is told on stderr: what and why, then what to do next; with `isDebug` also where it came from. */
export function describeError(error: unknown, { words, isJson, isDebug, pasteable }: Told): string {
  const { code, message, hint: said, more } = factsOf(error, words);
  const hint = said === undefined ? undefined : pasteable(said);
  const stack = isDebug ? stackOf(error) : undefined;
  if (isJson) return `${visibleJson({ error: { code, message, hint, ...more, stack } })}\n`;
  const hintLines = hint === undefined ? '' : `  ${visibleLines(hint).replaceAll('\n', '\n  ')}\n`;
  return `mailroom: ${visible(message)}\n${hintLines}${stack === undefined ? '' : `${visibleLines(stack)}\n`}`;
}

interface ErrorFacts {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly more?: Readonly<Record<string, unknown>>;
}

function factsOf(error: unknown, words: readonly string[]): ErrorFacts {
  if (error instanceof Advised) return { ...factsOf(error.error, words), hint: error.hint };
  if (error instanceof OutputFailed) {
    const { code, message } = error;
    return { code, message, hint: 'Have it go somewhere else, or make room there, then repeat the command.' };
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

/** An error for which the command line knows better what to do next than the library, which does not know the command. */
export class Advised extends Error {
  readonly error: Error;
  readonly hint: string;

  constructor(error: Error, hint: string) {
    super(error.message, { cause: error });
    this.name = 'Advised';
    this.error = error;
    this.hint = hint;
  }
}
