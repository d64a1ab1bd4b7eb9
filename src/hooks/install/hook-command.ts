import { quote } from '../../host/shell-word.ts';
import { isActorAddress } from '../../message/address.ts';
import type { HookProgram } from '../programs.ts';

/** How a program's hooks call this command. */
export interface Calling {
  /** The files to run if a shell does not find this same program by the name `mailroom`; undefined if it does. */
  readonly own?: { readonly node: string; readonly program: string } | undefined;
  /** The address that the program's sessions join under. Default: the session's own. */
  readonly as?: string | undefined;
}

/**
 * The shell command of a hook. It exits 0 and prints nothing if this command is missing, so that a person without Mailroom
 * notices nothing; `exec` makes the program the parent of the hook. It works in sh, bash, zsh and fish.
 */
export function hookCommand(program: HookProgram, event: string, { own, as }: Calling): string {
  const [node, file] = own ? [quote(own.node), quote(own.program)] : [];
  const isThere = own ? `[ -x ${node} ] && [ -e ${file} ]` : 'command -v mailroom >/dev/null 2>&1';
  const words = own ? `${node} ${file}` : 'mailroom';
  const who = as === undefined ? '' : `env MAILROOM_AS=${as} `;
  return `${isThere} && exec ${who}${words} hook ${program} ${event} || true`;
}

/** The facts in one of Mailroom's shell commands. */
export interface ReadCommand {
  readonly event: string;
  readonly as: string | undefined;
}

const GUARDED =
  /^(?:command -v mailroom >\/dev\/null 2>&1|\[ -x (.+) \] && \[ -e (.+) \]) && exec (?:env MAILROOM_AS=(\S+) )?(.+) hook (\S+) (\S+) \|\| true$/;
/** The form that a person writes by hand. */
const BARE = /^(?:MAILROOM_AS=(\S+) )?mailroom hook (\S+) (\S+)$/;

/** Parses a hook's shell command; undefined if it is not Mailroom's, or is another program's. */
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
