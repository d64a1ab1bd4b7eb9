import { listSessions, lastRunMs } from '../../hooks/session.ts';
import type { HookProgram } from '../../hooks/programs.ts';
import { waiterOf, WAKES_MAX } from '../../hooks/waiter.ts';
import { lastLines } from '../../log/read-log.ts';
import { countUnread } from '../../mailbox/early.ts';
import { mailboxOf, type RoomContext } from '../../room/context.ts';

/** A session that has joined by its hooks, as `mailroom hooks status --json` says it. */
export interface SessionStatus {
  readonly program: HookProgram;
  readonly address: string;
  /** ISO 8601. */
  readonly lastRun: string;
  /** Messages that it was not shown yet. */
  readonly unread: number;
  /** How often mail woke it since a person's last prompt. */
  readonly wakes: number;
  /** It was woken as often as is allowed: mail waits until a person's next prompt. */
  readonly isWokenNoMore: boolean;
}

/** The last hook that failed. */
export interface HookFault {
  /** ISO 8601. */
  readonly time: string;
  /** Program, event, and what failed. */
  readonly detail: string;
}

/** Newest run first. */
export function sessionsIn(context: RoomContext): SessionStatus[] {
  const found = listSessions(context).map((session) => {
    const mailbox = mailboxOf(context, session.address);
    const wakes = waiterOf(context, session)?.wakes ?? 0;
    return {
      program: session.program,
      address: session.address,
      lastRun: new Date(lastRunMs(context, session)).toISOString(),
      unread: mailbox ? countUnread(mailbox) : 0,
      wakes,
      isWokenNoMore: wakes >= WAKES_MAX,
    };
  });
  return found.sort((a, b) => (a.lastRun < b.lastRun ? 1 : -1));
}

/** By the room's log, which is kept for a while only. */
export function lastFault({ host, layout }: RoomContext): HookFault | undefined {
  const [line] = lastLines(host, layout, { limit: 1, matches: (one) => recordIn(one)?.event === 'hook-failed' });
  const record = line === undefined ? undefined : recordIn(line);
  return record && { time: String(record.time), detail: String(record.detail) };
}

function recordIn(line: string): { event?: unknown; time?: unknown; detail?: unknown } | undefined {
  try {
    const record: unknown = JSON.parse(line);
    return typeof record === 'object' && record !== null ? record : undefined;
  } catch {
    return undefined;
  }
}
