import { errnoOf } from '../host/file-system.ts';

/** A system error that names the file, as those of calls by descriptor do not; any other error unchanged. */
export function withPath(error: unknown, path: string): Error {
  if (!(error instanceof Error)) return new TypeError(`something else than an error was thrown for ${path}`);
  const code = errnoOf(error);
  if (code === undefined || error.message.includes(path)) return error;
  return Object.assign(new Error(`${error.message} '${path}'`, { cause: error }), { code, path });
}
