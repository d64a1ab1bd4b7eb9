import { errnoOf } from '../host/file-system.ts';
import { watchArrivals } from '../mailbox/arrivals.ts';
import { drain, type DrainOptions } from '../mailbox/drain.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { sweep } from '../mailbox/sweep.ts';
import type { RoomContext } from './context.ts';
import { receive, type Mail } from './mail.ts';
import { showLife } from './signs-of-life.ts';
import { toRoomError } from './system-errors.ts';

/** How `Agent.inbox` claims and waits. */
export interface InboxOptions {
  /** Ends the iteration when it aborts. Messages that were handed out stay claimed. */
  readonly signal?: AbortSignal | undefined;
  /** The length of each lease in ms, at most `leaseMsMax` of the room. Default: the limit `leaseMs` of the room. */
  readonly leaseMs?: number | undefined;
  /** Wait for more mail when the mailbox is empty. Default: true. */
  readonly wait?: boolean | undefined;
  /** How often to list the mailbox while the watcher reports nothing, in ms. Default: the limit `pollMs` of the room. */
  readonly pollMs?: number | undefined;
  /** Watch the directory for new mail instead of polling alone. Default: true. */
  readonly watch?: boolean | undefined;
}

/** How long a directory may be missing before a waiting reader gives up. */
const MISSING_MS_MAX = 5_000;

/** Claimed mail, oldest first, for as long as the caller iterates. */
export async function* iterateInbox(
  context: RoomContext,
  mailbox: Mailbox,
  options: InboxOptions & Pick<DrainOptions, 'wants' | 'passedOver'>,
): AsyncGenerator<Mail, void, void> {
  const limits = context.config.limitsOf(mailbox.address);
  const { signal, wait = true, watch = true, pollMs = limits.pollMs, wants, passedOver } = options;
  const leaseMs = Math.min(options.leaseMs ?? limits.leaseMs, limits.leaseMsMax);
  const warn = (detail: string): void => context.log.append({ event: 'warning', to: mailbox.address, detail });
  const arrivals = wait ? watchArrivals(mailbox, { pollMs, watch, signal, warn }) : undefined;
  const tolerance = createTolerance(context);
  try {
    context.standing.assertSame();
    const swept = sweep(mailbox);
    if (swept > 0) context.log.append({ event: 'swept', to: mailbox.address, detail: `${swept} abandoned files` });
    showLife(context, mailbox.address);
    while (!signal?.aborted) {
      try {
        for (const claim of drain(mailbox, { leaseMs, wants, passedOver })) {
          yield receive(context, mailbox, claim);
          if (signal?.aborted) return;
        }
        tolerance.reset();
      } catch (error) {
        if (!arrivals || !tolerance.tolerates(error)) throw error;
      }
      if (!arrivals) return;
      // After the mail, not before it, so that the reader is not delayed.
      showLife(context, mailbox.address);
      await arrivals.next();
    }
  } catch (error) {
    throw toRoomError(context, `The mailbox of ${mailbox.address} was not read`, error);
  } finally {
    if (arrivals) showLife(context, mailbox.address);
    arrivals?.close();
  }
}

/** Tolerance for a directory that is missing for a moment, because someone is replacing or removing it. */
export interface Tolerance {
  /** Whether to look again after this error. */
  tolerates(error: unknown): boolean;
  reset(): void;
}

export function createTolerance({ host }: Pick<RoomContext, 'host'>): Tolerance {
  let missingSinceMs: number | undefined;
  return {
    tolerates: (error) => {
      const now = host.clock.now();
      missingSinceMs ??= now;
      return errnoOf(error) === 'ENOENT' && now - missingSinceMs <= MISSING_MS_MAX;
    },
    reset: () => (missingSinceMs = undefined),
  };
}
