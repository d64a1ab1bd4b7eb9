import { errnoOf } from '../host/file-system.ts';

/** A system error that names the file, as those of calls by descriptor do not; anything else unchanged. */
export function withPath(error: unknown, path: string): unknown {
  const code = errnoOf(error);
  if (code === undefined || !(error instanceof Error) || error.message.includes(path)) return error;
  return Object.assign(new Error(`${error.message} '${path}'`, { cause: error }), { code, path });
}
