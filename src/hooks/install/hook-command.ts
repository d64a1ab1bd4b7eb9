import { quote } from '../../host/shell-word.ts';
import { isActorAddress } from '../../message/address.ts';
import type { HookProgram } from '../programs.ts';

/** How a program's hooks start this command. */
export interface Calling {
  /** Files to start where a shell does not find this very command as `mailroom`; else undefined. */
  readonly own?: { readonly node: string; readonly program: string } | undefined;
  /** The address that the program's sessions join under. Default: the session's own. */
  readonly as?: string | undefined;
}

/**
 * The line of shell that a hook runs. It exits 0 and prints nothing where this command is missing, so that somebody without
 * Mailroom notices nothing; `exec` makes the program the parent of the hook. sh, bash, zsh and fish read it alike.
 */
export function hookCommand(program: HookProgram, event: string, { own, as }: Calling): string {
  const [node, file] = own ? [quote(own.node), quote(own.program)] : [];
  const isThere = own ? `[ -x ${node} ] && [ -e ${file} ]` : 'command -v mailroom >/dev/null 2>&1';
  const words = own ? `${node} ${file}` : 'mailroom';
  const who = as === undefined ? '' : `env MAILROOM_AS=${as} `;
  return `${isThere} && exec ${who}${words} hook ${program} ${event} || true`;
}

/** What a line of shell that is one of ours says. */
export interface ReadCommand {
  readonly event: string;
  readonly as: string | undefined;
}

const GUARDED =
  /^(?:command -v mailroom >\/dev\/null 2>&1|\[ -x (.+) \] && \[ -e (.+) \]) && exec (?:env MAILROOM_AS=(\S+) )?(.+) hook (\S+) (\S+) \|\| true$/;
/** As a person writes it by hand. */
const BARE = /^(?:MAILROOM_AS=(\S+) )?mailroom hook (\S+) (\S+)$/;

/** Reads a hook's command; undefined for one that is not of ours, or is another program's. */
export function readHookCommand(program: HookProgram, command: unknown): ReadCommand | undefined {
  if (typeof command !== 'string') return undefined;
  const guarded = GUARDED.exec(command);
  const [as, of, event] = guarded ? guarded.slice(3).toSpliced(1, 1) : (BARE.exec(command)?.slice(1) ?? []);
  if (guarded) {
    const [, node, file, , words] = guarded;
    if (words !== (node === undefined ? 'mailroom' : `${node} ${file}`)) return undefined;
  }
  if (of !== program || event === undefined) return undefined;
  return as === undefined || isActorAddress(as) ? { event, as } : undefined;
}
