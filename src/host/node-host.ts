import type { Host } from './host.ts';
import { lockfile } from './lockfile.ts';
import { nodeClock } from './node-clock.ts';
import { blockingFileSystem, nodeFileSystem } from './node-file-system.ts';
import { nodeProcesses } from './node-processes.ts';
import { nodeWatchdog } from './node-watchdog.ts';
import { nodeWatching } from './node-watching.ts';
import { nodeCrypto } from './node-crypto.ts';
import { createRandomPool, drawRandomBytes } from './node-random.ts';

/** The ports of the machine that this process runs on. */
export const nodeHost: Host = {
  files: nodeFileSystem,
  clock: nodeClock,
  randomBytes: createRandomPool({ drawPool: drawRandomBytes, drawKey: (length) => nodeCrypto().randomBytes(length) }),
  lock: lockfile,
  processes: nodeProcesses,
  watching: nodeWatching,
  watchdog: nodeWatchdog,
};

/** The same for a process that does one thing at a time. */
export const blockingHost: Host = { ...nodeHost, files: blockingFileSystem };
