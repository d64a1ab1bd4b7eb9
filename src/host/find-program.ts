import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';

/** What may stand behind the name of a program: nothing, or on Windows `.EXE`, `.CMD` and what else PATHEXT lists. */
const ENDINGS =
  process.platform === 'win32' ? ['', ...(process.env['PATHEXT'] ?? '.COM;.EXE;.BAT;.CMD').split(';')] : [''];

/** The file, links followed, that a shell starts by this name; undefined when it finds none. */
export function findProgram(name: string, { path, cwd }: { path: string; cwd: string }): string | undefined {
  for (const directory of path.split(delimiter)) {
    for (const ending of ENDINGS) {
      const file = resolve(cwd, directory, name + ending);
      try {
        accessSync(file, constants.X_OK);
        if (statSync(file).isFile()) return realpathSync(file);
      } catch {
        // Not there, or not to be run: the shell looks on as well.
      }
    }
  }
  return undefined;
}
