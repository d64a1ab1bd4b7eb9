import { constants } from 'node:fs';
import { errnoOf } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import type { ProcessIdentity } from '../host/processes.ts';
import { actorLayout, type RoomLayout } from '../message/layout.ts';
import type { Standing } from './standing.ts';

/** Where signs are given. */
interface Place {
  readonly host: Host;
  readonly layout: RoomLayout;
  readonly standing: Pick<Standing, 'assertSame'>;
}

const OPEN_TOUCH = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;

/** Notes that the actor looked at its mailbox just now. A sign that cannot be given stops nothing. */
export function showLife(context: Place, address: string): void {
  try {
    context.standing.assertSame();
  } catch {
    // It would be a sign in another room.
    return;
  }
  touch(context, actorLayout(context.layout, address).seen);
}

/** An agent may work for long without a look at its mailbox, so one that is elsewhere counts as there for so long. */
const AGENT_SEEN_MS_MAX = 3_600_000;
/** A host touches `seen` of each workflow that it runs this often. */
const HOST_SIGN_MS = 2_000;
/** How long after its last sign a host that is elsewhere counts as there: several signs may come late. */
const HOST_SEEN_MS_MAX = 10_000;

/**
 * Whether the process of an actor is there. One of another PID namespace is judged by when the actor was last seen; a time
 * that is as far ahead says as little as one that far back, because the clock was set.
 */
export function isThere(
  { processes, clock }: Pick<Host, 'processes' | 'clock'>,
  { process, kind, seenMs }: { process: ProcessIdentity; kind: 'agent' | 'workflow'; seenMs: () => number | undefined },
): boolean {
  if (!processes.isElsewhere(process)) return processes.isAlive(process);
  const signMs = seenMs();
  const most = kind === 'agent' ? AGENT_SEEN_MS_MAX : HOST_SEEN_MS_MAX;
  return signMs !== undefined && Math.abs(clock.now() - signMs) <= most;
}

/** Names a process for people: its pid alone says nothing where it is another's. */
export function describeProcess({ processes }: Pick<Host, 'processes'>, process: ProcessIdentity): string {
  const isElsewhere = processes.isElsewhere(process);
  return `process ${process.pid}${isElsewhere ? ` of another container or sandbox (PID namespace ${process.pidNamespace})` : ''}`;
}

/** What to know of an actor whose process is elsewhere, behind what can be done; nothing of any other. */
export function elsewhereHint(
  { processes }: Pick<Host, 'processes'>,
  { process, kind }: { process: ProcessIdentity; kind: 'agent' | 'workflow' },
): string {
  if (!processes.isElsewhere(process)) return '';
  return kind === 'workflow'
    ? `\nFrom here nobody sees whether that process runs. It counts as running until ${HOST_SEEN_MS_MAX / 1000} s after its last sign.`
    : '\nFrom here nobody sees whether that process runs. It counts as running until an hour after it last looked at its mailbox. Are you the same agent, in another sandbox? Then --take-over is right.';
}

/** Shows life at once and then every two seconds, until the signal aborts. */
export async function keepShowingLife(context: Place, address: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    showLife(context, address);
    await context.host.clock.sleep(HOST_SIGN_MS, signal);
  }
}

/** When the actor last looked at its mailbox, in ms since the epoch; undefined when never. */
export function lastSeenMs({ host, layout }: Omit<Place, 'standing'>, address: string): number | undefined {
  return host.files.lstat(actorLayout(layout, address).seen)?.mtimeMs;
}

/** Sets a file's times, to now by default, creating it empty when it is not there. */
export function touch({ host }: Place, path: string, timeMs = host.clock.now()): void {
  const { files } = host;
  try {
    files.utimes(path, timeMs);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') return;
    try {
      files.close(files.open(path, OPEN_TOUCH, 0o600));
      files.utimes(path, timeMs);
    } catch {
      // The same holds for the first sign.
    }
  }
}
