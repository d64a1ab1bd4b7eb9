import { relative, sep } from 'node:path';
import type { Host } from '../host/host.ts';
import { watchArrivals } from '../mailbox/arrivals.ts';
import { createEarlyTest } from '../mailbox/early.ts';
import { readVerified } from '../mailbox/find.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { parseMessageFileName } from '../message/layout.ts';
import { dayOfId } from '../message/message-id.ts';
import type { Message } from '../message/message.ts';
import { listAddresses, mailboxOf, type RoomContext } from './context.ts';
import { createTolerance } from './inbox.ts';
import { toRoomError } from './system-errors.ts';
import { entriesOf } from '../mailbox/entries.ts';

/** A message arrives in the first, a retried dead letter in the second. */
const ARRIVALS = ['mailbox/new', 'mailbox/cur'];

/** A message that has arrived somewhere. */
export interface Seen {
  readonly recipient: string;
  readonly message: Message;
}

/**
 * Verified messages as they arrive, of one actor or of all, without claiming any: first those waiting, then new ones,
 * even if their reader was faster. Ends when the signal aborts.
 */
export async function* watchRoom(
  context: RoomContext,
  { address, signal }: { address: string | undefined; signal: AbortSignal },
): AsyncGenerator<Seen, void, void> {
  const { pollMs } = context.config.limits;
  const warn = (detail: string): void => context.log.append({ event: 'warning', detail });
  const own = address === undefined ? undefined : mailboxOf(context, address);
  const arrivals = own
    ? watchArrivals(own, { pollMs, watch: true, signal, warn })
    : await watchTree(context.host, { path: context.layout.actors, inEach: ARRIVALS, pollMs, signal, warn });
  const known = new Map<string, Set<string>>();
  const tolerance = createTolerance(context);
  let isFirstLook = true;
  try {
    while (!signal.aborted) {
      context.standing.assertSame();
      try {
        for (const mailbox of own ? [own] : allMailboxes(context)) {
          yield* news(mailbox, { known, onlyWaiting: isFirstLook, signal });
        }
        isFirstLook = false;
        tolerance.reset();
      } catch (error) {
        if (!tolerance.tolerates(error)) throw error;
      }
      await arrivals.next();
    }
  } catch (error) {
    throw toRoomError(context, 'The mailboxes are no longer watched', error);
  } finally {
    await Promise.resolve(arrivals.close());
  }
}

function allMailboxes(context: RoomContext): Mailbox[] {
  return listAddresses(context)
    .map((address) => mailboxOf(context, address))
    .filter((mailbox) => mailbox !== undefined);
}

/** What is there now and was not at the last look; everything, if the mailbox was not there before. */
function* news(
  mailbox: Mailbox,
  options: { known: Map<string, Set<string>>; onlyWaiting: boolean; signal: AbortSignal },
): Generator<Seen> {
  const { known, onlyWaiting, signal } = options;
  const before = known.get(mailbox.address);
  const now = lookAt(mailbox);
  const reported = new Set(now.keys());
  known.set(mailbox.address, reported);
  for (const name of [...now.keys()].sort()) {
    const found = now.get(name);
    if (signal.aborted || !found || before?.has(name) || (onlyWaiting && !found.waits)) continue;
    const read = readVerified(mailbox, { path: found.path, name });
    // It has moved since the look; the next look finds it at its new place.
    if (!read) reported.delete(name);
    else if ('message' in read) yield { recipient: mailbox.address, message: read.message };
  }
}

/**
 * Every message that waits, is claimed, or was acknowledged today or yesterday, by name; early mail counts as arrived
 * once it is due.
 */
function lookAt(mailbox: Mailbox): Map<string, { path: string; waits: boolean }> {
  const { host, layout } = mailbox;
  const found = new Map<string, { path: string; waits: boolean }>();
  // In the order in which a message moves, so that one that moves meanwhile is seen at least once.
  const isEarly = createEarlyTest(mailbox);
  for (const { name, path, claim } of entriesOf(mailbox)) {
    if (claim || !isEarly(name)) found.set(name, { path, waits: claim === undefined });
  }
  for (const day of recentDays(host.clock.now())) {
    if (!host.files.lstat(`${layout.done}/${day}`)) continue;
    for (const name of host.files.readdir(`${layout.done}/${day}`)) {
      const id = parseMessageFileName(name)?.id;
      if (id !== undefined && dayOfId(id) === day)
        found.set(name, { path: `${layout.done}/${day}/${name}`, waits: false });
    }
  }
  return found;
}

const DAY_MS = 86_400_000;

function recentDays(nowMs: number): string[] {
  return [nowMs - DAY_MS, nowMs].map((ms) => new Date(ms).toISOString().slice(0, 10));
}

/** Wakes a caller that waits for changes below a directory. */
export interface TreeChanges {
  /**
   * Resolves at the next hint, after `pollMs` at the latest, or when the signal aborts. A hint since the last call
   * counts.
   */
  next(): Promise<void>;
  close(): Promise<void>;
}

export interface WatchTreeOptions {
  readonly path: string;
  /**
   * The directories that matter within each one below `path`, such as `mailbox/new` for actors. Default: all of them.
   */
  readonly inEach?: readonly string[];
  readonly pollMs: number;
  readonly signal: AbortSignal;
  readonly warn: (text: string) => void;
}

/** Hints of changes in a whole tree. If none can be had, it only polls, and says so once through `warn`. */
export async function watchTree(host: Host, options: WatchTreeOptions): Promise<TreeChanges> {
  const { path, inEach, pollMs, signal, warn } = options;
  let hinted = false;
  let wake = (): void => {};
  let warned = false;
  const close = await host.watching.tree(
    path,
    () => {
      hinted = true;
      wake();
    },
    (reason) => {
      if (warned) return;
      warned = true;
      warn(`${path} cannot be watched (${reason}); it is listed every ${pollMs} ms instead.`);
    },
    inEach && ((directory) => matters(relative(path, directory).split(sep).slice(1).join('/'), inEach)),
  );
  return {
    next: async () => {
      if (!hinted && !signal.aborted) {
        const woken = new AbortController();
        wake = () => woken.abort();
        signal.addEventListener('abort', wake, { once: true });
        await host.clock.sleep(pollMs, woken.signal);
        signal.removeEventListener('abort', wake);
        wake = () => {};
      }
      hinted = false;
    },
    close,
  };
}

/** Whether a directory, named relative to that of an actor, is one of `these` or on the path to one. */
function matters(directory: string, these: readonly string[]): boolean {
  return directory === '' || these.some((one) => one === directory || one.startsWith(`${directory}/`));
}
