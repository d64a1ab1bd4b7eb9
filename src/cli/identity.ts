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
  /** Where the address comes from. */
  readonly source: '--as' | 'MAILROOM_AS' | 'session' | 'tmux pane';
}

const ADDRESSES_SHOWN_MAX = 8;

/**
 * The address of the agent that runs this command: `--as`, else that of the Codex session in whose shell it runs, else
 * `MAILROOM_AS`, else that of the Claude Code session, else the one whose card names this tmux pane. Throws
 * `IdentityUnknown` with the command to repeat.
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
      // A new tmux server counts panes from 0 again, but the process of the old pane is gone.
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
    `${message} Joined: ${shown.join(', ')}${joined.length > shown.length ? ' and others' : ''}.`,
    { hint: `Repeat the command as one of:\n${commands.join('\n')}` },
  );
}
