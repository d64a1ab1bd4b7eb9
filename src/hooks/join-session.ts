import { Conflict } from '../errors.ts';
import type { ProcessIdentity } from '../host/processes.ts';
import { sessionLayout } from '../message/layout.ts';
import { isLive, readCard } from '../room/card.ts';
import type { RoomContext } from '../room/context.ts';
import { joinRoom } from '../room/join.ts';
import { currentPane } from '../room/nudge.ts';
import { sessionKey, type HookEvent } from './hook-event.ts';
import { SHARED_PROCESS } from './programs.ts';
import { goesOn, listSessions, writeSession, type Session } from './session.ts';

const NUMBERS_TRIED_MAX = 1_000;

/**
 * Has the session join, under `MAILROOM_AS`, else under the address that it had, else under the first of `claude-1`, `claude-2` …
 * that nobody uses. Throws as `joinRoom`.
 */
export async function joinSession(
  context: RoomContext,
  event: HookEvent,
  options: {
    known: Session | undefined;
    env: Readonly<Record<string, string | undefined>>;
    /** Tells the session's own shell who it is; false where the program has no way for that. */
    exportAddress: (address: string) => boolean;
  },
): Promise<Session> {
  const { known, env, exportAddress } = options;
  const process = context.host.processes.parent();
  const asked = env['MAILROOM_AS'] || undefined;
  const key = sessionKey(event);
  const joining = { program: event.program, process, tmux: await currentPane(context.host, env) };
  const isCertain = asked !== undefined && !SHARED_PROCESS.has(event.program);
  for (const address of isCertain ? [asked] : addressesFor(context, event, { known, process, asked })) {
    try {
      // Somebody who says which address it is may have joined by hand, in the shell that the program runs in.
      const card = address === asked ? readCard(context.host, context.layout, address) : undefined;
      if (!card || !isLive(context, card)) await joinRoom(context, address, joining);
    } catch (error) {
      if (error instanceof Conflict && !isCertain) continue;
      throw error;
    }
    const isExported = exportAddress(address) || isCertain || event.program === 'codex';
    const layout = sessionLayout(context.layout, key);
    const { program, sessionId: id, isUnheard } = event;
    return writeSession(context, { key, program, id, address, process, isExported, isUnheard, layout });
  }
  throw new Conflict(`Each address from ${event.program}-1 to ${event.program}-${NUMBERS_TRIED_MAX} is in use.`, {
    hint: 'Say which address the session is, before it starts: export MAILROOM_AS=<address>',
  });
}

function* addressesFor(
  context: RoomContext,
  event: HookEvent,
  { known, process, asked }: { known: Session | undefined; process: ProcessIdentity; asked: string | undefined },
): Generator<string> {
  // The cards of all sessions of one process are that process's own, so its cards keep none of them out.
  const others = listSessions(context).filter(({ key }) => key !== sessionKey(event));
  const taken = new Set(others.filter((one) => goesOn(context, one, process)).map(({ address }) => address));
  for (const address of [known?.address, asked]) if (address !== undefined && !taken.has(address)) yield address;
  for (let number = 1; number <= NUMBERS_TRIED_MAX; number++) {
    const address = `${event.program}-${number}`;
    if (!taken.has(address)) yield address;
  }
}
