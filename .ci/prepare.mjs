// Runs after `npm ci` and `npm install`. The compilers are development dependencies: with `--omit=dev` there is
// nothing to build with, which is right for whoever has dist/ already and worth a line for whoever has not.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const has = (/** @type {string} */ file) => fs.existsSync(path.join(root, file));

if (has('node_modules/typescript') && has('node_modules/esbuild')) {
  process.exitCode = spawnSync(process.execPath, ['.ci/build.mjs'], { cwd: root, stdio: ['ignore', 2, 2] }).status ?? 1;
} else if (!has('dist/index.js')) {
  console.error(
    'agent-mailroom: not built, because the development dependencies are missing; run `npm ci` without --omit=dev',
  );
}
