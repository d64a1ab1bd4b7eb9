import { errnoOf } from '../host/file-system.ts';
import { watchArrivals } from '../mailbox/arrivals.ts';
import { drain, type DrainOptions } from '../mailbox/drain.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { sweep } from '../mailbox/sweep.ts';
import type { RoomContext } from './context.ts';
import { receive, type Mail } from './mail.ts';
import { showLife } from './signs-of-life.ts';
import { asTold } from './system-errors.ts';

export interface InboxOptions {
  /** Ends the iteration; what was handed out stays claimed. */
  readonly signal?: AbortSignal | undefined;
  /** How long each message is claimed for, in ms; the room's `leaseMs` when not given. */
  readonly leaseMs?: number | undefined;
  /** Whether to wait for more when the mailbox is empty; true unless said otherwise. */
  readonly wait?: boolean | undefined;
  /** How often to list the mailbox when nothing hints at mail, in ms; the room's `pollMs` when not given. */
  readonly pollMs?: number | undefined;
  /** False: no watcher, only polling. */
  readonly watch?: boolean | undefined;
}

/** How long there may be no directory before whoever waits for what comes into it gives up. */
const MISSING_MS_MAX = 5_000;

/** Claimed mail, oldest first, as long as the caller asks for it. */
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
  const patience = createPatience(context);
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
        patience.renew();
      } catch (error) {
        if (!arrivals || !patience.hasWith(error)) throw error;
      }
      if (!arrivals) return;
      // Behind the mail, not before it: it is what somebody waits for.
      showLife(context, mailbox.address);
      await arrivals.next();
    }
  } catch (error) {
    throw asTold(context, `The mailbox of ${mailbox.address} was not read`, error);
  } finally {
    if (arrivals) showLife(context, mailbox.address);
    arrivals?.close();
  }
}

/** With what is not there at this moment: whoever replaces or removes a directory leaves one in which it is not. */
export interface Patience {
  /** Whether to look again after this error. */
  hasWith(error: unknown): boolean;
  renew(): void;
}

export function createPatience({ host }: Pick<RoomContext, 'host'>): Patience {
  let missingSinceMs: number | undefined;
  return {
    hasWith: (error) => {
      const now = host.clock.now();
      missingSinceMs ??= now;
      return errnoOf(error) === 'ENOENT' && now - missingSinceMs <= MISSING_MS_MAX;
    },
    renew: () => (missingSinceMs = undefined),
  };
}
