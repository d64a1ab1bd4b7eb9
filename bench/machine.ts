import fs from 'node:fs';
import os from 'node:os';

/** What the figures were measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly fileSystem: string;
  readonly mount: string;
  readonly load: string;
  readonly date: string;
}

export function describeMachine(directory: string): Machine {
  const { type, source, point, options } = mountOf(directory);
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.cpus().length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
    fileSystem: type,
    mount: `${source} on ${point} (${options})`,
    load: os
      .loadavg()
      .map((load) => load.toFixed(2))
      .join(' '),
    date: new Date().toISOString(),
  };
}

interface Mount {
  readonly source: string;
  readonly point: string;
  readonly type: string;
  readonly options: string;
}

const UNKNOWN: Mount = { source: 'unknown', point: '/', type: 'unknown', options: '' };

/** The mount that a directory lies on (proc_pid_mounts(5)). */
function mountOf(directory: string): Mount {
  let table: string;
  try {
    table = fs.readFileSync('/proc/self/mounts', 'utf8');
  } catch {
    return UNKNOWN;
  }
  const real = fs.realpathSync(directory);
  const mounts = table.split('\n').flatMap((line): Mount[] => {
    const [source, point, type, options] = line.split(' ');
    return source && point && type && options && holds(point, real) ? [{ source, point, type, options }] : [];
  });
  return mounts.reduce((longest, one) => (one.point.length >= longest.point.length ? one : longest), UNKNOWN);
}

function holds(point: string, directory: string): boolean {
  return point === '/' || directory === point || directory.startsWith(`${point}/`);
}
