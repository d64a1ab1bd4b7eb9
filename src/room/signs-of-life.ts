import { constants } from 'node:fs';
import { errnoOf } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import type { ProcessIdentity } from '../host/processes.ts';
import { actorLayout, type RoomLayout } from '../message/layout.ts';
import type { Standing } from './standing.ts';

/** Where signs of life are given. */
interface SignsContext {
  readonly host: Host;
  readonly layout: RoomLayout;
  readonly standing: Pick<Standing, 'assertSame'>;
}

const OPEN_TOUCH = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;

/** Notes that the actor looked at its mailbox just now. Failing to leave a sign stops nothing. */
export function showLife(context: SignsContext, address: string): void {
  try {
    context.standing.assertSame();
  } catch {
    // The sign would be left in another room.
    return;
  }
  touch(context, actorLayout(context.layout, address).seen);
}

/** How long an agent in another PID namespace counts as there: it may work for long without looking at its mailbox. */
const AGENT_SEEN_MS_MAX = 3_600_000;
/** How often a host touches `seen` of each workflow it runs. */
const HOST_SIGN_MS = 2_000;
/** How long a host in another PID namespace counts as there after its last sign: several signs may be late. */
const HOST_SEEN_MS_MAX = 10_000;

/**
 * Whether the process of an actor is there. A process in another PID namespace is judged by when the actor was last
 * seen; a time that far ahead says as little as one that far back, because the clock was set.
 */
export function isThere(
  { processes, clock }: Pick<Host, 'processes' | 'clock'>,
  { process, kind, seenMs }: { process: ProcessIdentity; kind: 'agent' | 'workflow'; seenMs: () => number | undefined },
): boolean {
  if (!processes.isElsewhere(process)) return processes.isAlive(process);
  const signMs = seenMs();
  const maxMs = kind === 'agent' ? AGENT_SEEN_MS_MAX : HOST_SEEN_MS_MAX;
  return signMs !== undefined && Math.abs(clock.now() - signMs) <= maxMs;
}

/** Names a process for people: a pid alone means nothing in another PID namespace. */
export function describeProcess({ processes }: Pick<Host, 'processes'>, process: ProcessIdentity): string {
  const isElsewhere = processes.isElsewhere(process);
  return `process ${process.pid}${isElsewhere ? ` of another container or sandbox (PID namespace ${process.pidNamespace})` : ''}`;
}

/** What to add to a hint about an actor whose process is in another PID namespace; empty for any other. */
export function elsewhereHint(
  { processes }: Pick<Host, 'processes'>,
  { process, kind }: { process: ProcessIdentity; kind: 'agent' | 'workflow' },
): string {
  if (!processes.isElsewhere(process)) return '';
  return kind === 'workflow'
    ? `\nWhether that process runs cannot be seen from here. It counts as running until ${HOST_SEEN_MS_MAX / 1000} s after its last sign of life.`
    : '\nWhether that process runs cannot be seen from here. It counts as running until an hour after it last looked at its mailbox. Are you the same agent, in another sandbox? Then --take-over is right.';
}

/** Shows life at once and then every two seconds, until the signal aborts. */
export async function keepShowingLife(context: SignsContext, address: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    showLife(context, address);
    await context.host.clock.sleep(HOST_SIGN_MS, signal);
  }
}

/** When the actor last looked at its mailbox, in ms since the epoch; undefined if never. */
export function lastSeenMs({ host, layout }: Omit<SignsContext, 'standing'>, address: string): number | undefined {
  return host.files.lstat(actorLayout(layout, address).seen)?.mtimeMs;
}

/** Sets a file's times, creating it empty if it does not exist. Default: now. */
export function touch({ host }: SignsContext, path: string, timeMs = host.clock.now()): void {
  const { files } = host;
  try {
    files.utimes(path, timeMs);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') return;
    try {
      files.close(files.open(path, OPEN_TOUCH, 0o600));
      files.utimes(path, timeMs);
    } catch {
      // Nor does failing to leave the first sign.
    }
  }
}
