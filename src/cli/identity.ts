import { IdentityUnknown } from '../errors.ts';
import { addressInShell } from '../hooks/session.ts';
import { listCards } from '../room/context.ts';
import { contextOf, type Room } from '../room/room.ts';
import { paneInEnvironment } from '../room/nudge.ts';
import { textOption } from './arguments.ts';
import type { Call } from './command.ts';
import { commandLine } from './shell-words.ts';

export interface Identity {
  readonly address: string;
  /** What said so. */
  readonly source: '--as' | 'MAILROOM_AS' | 'session' | 'tmux pane';
}

const ADDRESSES_SHOWN_MAX = 8;

/**
 * Who gives this command: `--as`, else the session of Codex whose shell it runs in, else `MAILROOM_AS`, else the session of Claude
 * Code, else whoever's card names this tmux pane. Throws `IdentityUnknown`
 * with the command to repeat.
 */
export function identityOf(call: Call, room: Room): Identity {
  const given = textOption(call.args, 'as');
  if (given !== undefined) return { address: given, source: '--as' };
  // All sessions of Codex have the environment of one of them.
  const inCodex = addressInShell(contextOf(room), 'codex', call.env);
  if (inCodex !== undefined) return { address: inCodex, source: 'session' };
  const exported = call.env['MAILROOM_AS'];
  if (exported) return { address: exported, source: 'MAILROOM_AS' };
  const inClaude = addressInShell(contextOf(room), 'claude', call.env);
  if (inClaude !== undefined) return { address: inClaude, source: 'session' };
  const inPane = addressOfPane(call, room);
  if (inPane !== undefined) return { address: inPane, source: 'tmux pane' };
  throw unknown(call, room);
}

function addressOfPane({ env, host }: Call, room: Room): string | undefined {
  const here = paneInEnvironment(env);
  if (!here) return undefined;
  return (
    listCards(contextOf(room))
      .filter(({ tmux, leftAt }) => leftAt === undefined && tmux?.socket === here.socket && tmux.pane === here.pane)
      // Pane numbers begin anew with each tmux server; the pane's process does not come back.
      .filter(({ tmux }) => tmux && host.processes.isAlive(tmux.process))
      .sort((a, b) => (a.joinedAt < b.joinedAt ? -1 : 1))
      .at(-1)?.address
  );
}

function unknown({ words }: Call, room: Room): IdentityUnknown {
  const message = 'Nothing says who you are: there is no --as, no MAILROOM_AS, and no card names this tmux pane.';
  const joined = listCards(contextOf(room))
    .filter(({ kind, leftAt }) => kind === 'agent' && leftAt === undefined)
    .map(({ address }) => address);
  if (joined.length === 0) {
    return new IdentityUnknown(`${message} Nobody has joined this room.`, {
      hint: 'Join under a name of your choice, for example: eval "$(mailroom join alice)"',
    });
  }
  const shown = joined.slice(0, ADDRESSES_SHOWN_MAX);
  const commands = shown.map((address) => commandLine(['--as', address, ...words]));
  return new IdentityUnknown(
    `${message} Joined are ${shown.join(', ')}${joined.length > shown.length ? ' and others' : ''}.`,
    { hint: `Say it again as the one you are:\n${commands.join('\n')}` },
  );
}
