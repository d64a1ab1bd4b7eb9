import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** The URL of the module that `specifier` means to a file in that place, or to the one it links to; undefined when it means nothing there. */
export function resolveModule(specifier: string, fromFile: string): string | undefined {
  try {
    return pathToFileURL(createRequire(existsSync(fromFile) ? realpathSync(fromFile) : fromFile).resolve(specifier))
      .href;
  } catch {
    return undefined;
  }
}
