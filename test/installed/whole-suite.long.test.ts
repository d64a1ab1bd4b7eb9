import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { fetchedNodes } from './runtimes.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const VITEST = path.join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
/** Three times what it takes on a small machine; what hangs is killed then. */
const SUITE_MS_MAX = 50 * 60_000;

// The tests start what they test by the Node that runs them.
it.each(fetchedNodes())('the whole suite passes on Node $name', ({ bin }) => {
  const { MAILROOM_STRIDE: _stride, MAILROOM_TEST_PROCESSES: _processes, ...usual } = process.env;
  const env = { ...usual, MAILROOM_TESTS: 'all', PATH: `${bin}:${usual['PATH'] ?? ''}` };
  const args = [VITEST, 'run', '--config', 'test/vitest.config.ts', '--reporter=dot'];
  const ran = spawnSync(path.join(bin, 'node'), args, {
    cwd: ROOT,
    env,
    encoding: 'utf8',
    timeout: SUITE_MS_MAX,
    maxBuffer: 64 * 1024 * 1024,
  });
  console.log(ran.stdout.slice(-2_000));
  expect([ran.status, ran.stdout.match(/FAIL .*/g) ?? []]).toEqual([0, []]);
});
