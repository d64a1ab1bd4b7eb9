import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessIdentity } from 'agent-mailroom';
import { nodeHost } from 'agent-mailroom/runtime';
import { NotStarted } from './options.ts';

const LOOK_EVERY_MS = 1_000;

/**
 * The process that carries out a run is recorded in the run's directory as `hosts/<n>.json`; the highest number counts. Each
 * record is published whole by a link, which fails if the number is taken, so of two processes that start at once only one
 * becomes the host.
 */
interface RunHost {
  readonly number: number;
  /** Undefined if the process is gone. */
  readonly pid: number | undefined;
}

/** Makes this process the host of the run. Throws NotStarted if another live process is. */
export function hostRun(directory: string): void {
  const hosts = path.join(directory, 'hosts');
  fs.mkdirSync(hosts, { recursive: true });
  const staged = path.join(hosts, `${process.pid}.new`);
  fs.writeFileSync(staged, `${JSON.stringify(nodeHost.processes.self())}\n`);
  try {
    let number: number;
    do {
      assertNoHost(directory);
      number = (lastHost(directory)?.number ?? 0) + 1;
    } while (!isLinked(staged, path.join(hosts, `${number}.json`)));
  } finally {
    fs.rmSync(staged);
  }
}

/** Throws NotStarted if another live process carries out the run. */
export function assertNoHost(directory: string): void {
  const pid = lastHost(directory)?.pid;
  if (pid === undefined || pid === process.pid) return;
  throw new NotStarted(
    `The run in ${directory} is being carried out by process ${pid}. Let it finish, or end it (kill ${pid}) and start again; --new starts another run.`,
  );
}

/** The process that carries out the run; undefined if none does. */
export function pidOfHost(directory: string): number | undefined {
  return lastHost(directory)?.pid;
}

const STOP_MS_MAX = 60_000;
const STOP_LOOK_MS = 100;

/** Asks the host of a run to end, as Ctrl-C does, and waits for it; resolves with whether it is gone. */
export async function stopHost(directory: string): Promise<boolean> {
  const pid = pidOfHost(directory);
  if (pid === undefined) return true;
  process.kill(pid, 'SIGTERM');
  const endMs = Date.now() + STOP_MS_MAX;
  while (pidOfHost(directory) === pid && Date.now() < endMs) await sleep(STOP_LOOK_MS);
  return pidOfHost(directory) !== pid;
}

/** Aborts when the host of the run is gone and no other has taken its place; never if the run has had no host. */
export function hostGone(directory: string): AbortSignal {
  const gone = new AbortController();
  const timer = setInterval(() => {
    const last = lastHost(directory);
    if (last === undefined || last.pid !== undefined) return;
    clearInterval(timer);
    gone.abort();
  }, LOOK_EVERY_MS);
  timer.unref();
  return gone.signal;
}

function lastHost(directory: string): RunHost | undefined {
  const hosts = path.join(directory, 'hosts');
  const names = fs.existsSync(hosts) ? fs.readdirSync(hosts) : [];
  const number = Math.max(0, ...names.flatMap((name) => /^(\d+)\.json$/.exec(name)?.[1] ?? []).map(Number));
  if (number === 0) return undefined;
  try {
    const host = JSON.parse(fs.readFileSync(path.join(hosts, `${number}.json`), 'utf8')) as ProcessIdentity;
    return { number, pid: nodeHost.processes.isAlive(host) ? host.pid : undefined };
  } catch {
    // A power loss before the text was on disk; it ended the process, too.
    return { number, pid: undefined };
  }
}

/** False if the name is taken. */
function isLinked(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
