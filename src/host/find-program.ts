import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';

/** What may follow the name of a program: nothing or, on Windows, `.EXE`, `.CMD` and whatever else PATHEXT lists. */
const ENDINGS =
  process.platform === 'win32' ? ['', ...(process.env['PATHEXT'] ?? '.COM;.EXE;.BAT;.CMD').split(';')] : [''];

/** The file, links followed, that a shell starts by this name; undefined if it finds none. */
export function findProgram(name: string, { path, cwd }: { path: string; cwd: string }): string | undefined {
  for (const directory of path.split(delimiter)) {
    for (const ending of ENDINGS) {
      const file = resolve(cwd, directory, name + ending);
      try {
        accessSync(file, constants.X_OK);
        if (statSync(file).isFile()) return realpathSync(file);
      } catch {
        // Missing or not executable: a shell would continue searching too.
      }
    }
  }
  return undefined;
}
