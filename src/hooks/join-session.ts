import { Conflict } from '../errors.ts';
import type { ProcessIdentity } from '../host/processes.ts';
import { sessionLayout } from '../message/layout.ts';
import { isLive, readCard } from '../room/card.ts';
import type { RoomContext } from '../room/context.ts';
import { joinRoom } from '../room/join.ts';
import { currentPane } from '../room/nudge.ts';
import { sessionKey, type HookEvent } from './hook-event.ts';
import { SHARED_PROCESS } from './programs.ts';
import { isLiveSession, listSessions, writeSession, type Session } from './session.ts';

const NUMBERS_TRIED_MAX = 1_000;

/**
 * Joins the session under `MAILROOM_AS`, else under its previous address, else under the first unused one of `claude-1`,
 * `claude-2` … Throws as `joinRoom` does.
 */
export async function joinSession(
  context: RoomContext,
  event: HookEvent,
  options: {
    known: Session | undefined;
    env: Readonly<Record<string, string | undefined>>;
    /** Sets the address in the session's own shell; false if the program has no way to do that. */
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
      // A person who set the address may have joined by hand, in the shell that started the program.
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
    hint: 'Choose the address of the session before it starts: export MAILROOM_AS=<address>',
  });
}

function* addressesFor(
  context: RoomContext,
  event: HookEvent,
  { known, process, asked }: { known: Session | undefined; process: ProcessIdentity; asked: string | undefined },
): Generator<string> {
  // All sessions of one process join as that process, so their cards do not keep each other out; the session records do.
  const others = listSessions(context).filter(({ key }) => key !== sessionKey(event));
  const taken = new Set(others.filter((one) => isLiveSession(context, one, process)).map(({ address }) => address));
  for (const address of [known?.address, asked]) if (address !== undefined && !taken.has(address)) yield address;
  for (let number = 1; number <= NUMBERS_TRIED_MAX; number++) {
    const address = `${event.program}-${number}`;
    if (!taken.has(address)) yield address;
  }
}
