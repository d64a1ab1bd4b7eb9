import fs from 'node:fs';

/** POSIX shared memory, which Linux has in a file system of its own. */
const DIRECTORY = '/dev/shm';
const FREE_BYTES_MIN = 2 * 1024 ** 3;

/**
 * A directory in memory for what tests write, if there is one with enough room in which programs may be started, unlike that of
 * many containers. Thousands of small files take a third of the processor time there that they take on an ext4.
 */
export function memoryDirectory(): string | undefined {
  if (!fs.existsSync('/proc/mounts') || !fs.existsSync(DIRECTORY)) return undefined;
  const lines = fs.readFileSync('/proc/mounts', 'utf8').split('\n');
  const mounted = lines.map((line) => line.split(' ')).find(([, at]) => at === DIRECTORY);
  const [, , type = '', options = ''] = mounted ?? [];
  const { bavail, bsize } = fs.statfsSync(DIRECTORY);
  const isUsable = type === 'tmpfs' && !options.split(',').includes('noexec') && bavail * bsize >= FREE_BYTES_MIN;
  return isUsable ? DIRECTORY : undefined;
}
