import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

/** The file, links followed, that a shell starts by this name; undefined when it finds none. */
export function findProgram(name: string, { path, cwd }: { path: string; cwd: string }): string | undefined {
  for (const directory of path.split(':')) {
    const file = resolve(cwd, directory, name);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return realpathSync(file);
    } catch {
      // Not there, or not to be run: the shell looks on as well.
    }
  }
  return undefined;
}
