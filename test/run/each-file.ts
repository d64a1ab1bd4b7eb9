import fc from 'fast-check';
import fs from 'node:fs';
import { afterAll } from 'vitest';
import { SEED } from './seed.ts';

// For properties that name no seed of their own.
fc.configureGlobal({ seed: SEED });

declare module 'vitest' {
  interface TaskMeta {
    /** Milliseconds of processor time that a file took: user and system, of the worker and of every child that ended. */
    cpuMs?: number;
  }
}

/** `/proc` counts in hundredths of a second on every Linux that Node supports. */
const TICK_MS = 10;

/** Kept beside the module, which is evaluated once for each file. A worker's own start goes to its first file. */
const worker = globalThis as { cpuMsBefore?: number };

// Evaluated before the file is imported, so that the import counts.
const before = worker.cpuMsBefore ?? 0;

// oxlint-disable-next-line no-empty-pattern -- vitest accepts nothing but a pattern as the first parameter
afterAll(({}, file) => {
  const now = cpuMs();
  worker.cpuMsBefore = now;
  file.meta.cpuMs = now - before;
});

/** What this process and all its ended descendants took until now; only its own part where there is no `/proc`. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000 + childrenMs();
}

function childrenMs(): number {
  if (process.platform !== 'linux') return 0;
  const stat = fs.readFileSync('/proc/self/stat', 'utf8');
  // The name of the command, which may hold spaces, ends at the last parenthesis; the third field follows.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) * TICK_MS;
}
