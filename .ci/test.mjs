// Builds and runs one of the sets of tests, and prints the processor time of everything that this started:
// `.ci/test.mjs quick|all|package|long [argument of vitest…]`.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const [set = '', ...given] = process.argv.slice(2);
const { NODE_EXTRA_CA_CERTS: _slowsEachStart, ...env } = process.env;
const steps = [
  [path.join(root, '.ci/build.mjs')],
  [path.join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'test/vitest.config.ts', ...given],
];

for (const args of steps) {
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    env: { ...env, MAILROOM_TESTS: set },
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
  if (status !== 0) break;
}
const took = childrenSeconds();
if (took) console.log(`Processor time of ${set === 'quick' ? 'npm test' : `npm run test:${set}`}: ${took}`);

/** User and system time of all descendants that have ended; undefined where there is no `/proc`. */
function childrenSeconds() {
  const stat = fs.existsSync('/proc/self/stat') ? fs.readFileSync('/proc/self/stat', 'utf8') : undefined;
  if (stat === undefined) return undefined;
  // The fields of proc(5), from the third on: the second, the name, may hold spaces and ends at the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user = 0, system = 0] = fields.slice(13, 15).map((ticks) => Number(ticks) / 100);
  return `${(user + system).toFixed(1)} s (user ${user.toFixed(1)} s, system ${system.toFixed(1)} s)`;
}
