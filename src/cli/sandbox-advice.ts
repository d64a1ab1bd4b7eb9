import { isMailroomError, MailroomError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { findRoom } from '../room/find-room.ts';
import { WithAdvice } from './report-error.ts';

const CAUSES_MAX = 5;
const NOT_WRITABLE = /\b(?:EROFS|EACCES|EPERM)\b/;

/**
 * Adds the needed setting to an error that comes from a program's sandbox which may not write to the room; returns any other
 * error unchanged. The sandboxes are recognized by the variables of Codex 0.171 and Claude Code 2.1.332.
 */
export function withSandboxAdvice(
  error: unknown,
  {
    host,
    env,
    cwd,
    room,
  }: {
    host: Host;
    env: Readonly<Record<string, string | undefined>>;
    cwd: string;
    room: string | undefined;
  },
): unknown {
  const program = env['CODEX_SANDBOX_NETWORK_DISABLED'] ? 'Codex' : env['SANDBOX_RUNTIME'] ? 'Claude Code' : undefined;
  if (program === undefined || !(error instanceof Error) || !isNotWritable(error)) return error;
  let directory: string;
  try {
    directory = findRoom(host, { named: room ?? (env['MAILROOM_DIR'] || undefined), cwd });
  } catch {
    return error;
  }
  const setting =
    program === 'Codex'
      ? `writable_roots = [${JSON.stringify(directory)}] below [sandbox_workspace_write] in ~/.codex/config.toml`
      : 'sandbox.filesystem.allowWrite, set from a shell outside the sandbox by: mailroom hooks add claude --sandbox-access';
  const own = isMailroomError(error) && error.hint !== undefined ? `\n${error.hint}` : '';
  return new WithAdvice(
    error,
    `The sandbox of ${program} may not write to the room. The setting that allows it: ${setting}${own}`,
  );
}

function isNotWritable(error: Error): boolean {
  let one: unknown = error;
  for (let depth = 0; depth < CAUSES_MAX && one instanceof Error; depth++) {
    const code = one instanceof MailroomError ? '' : ((one as NodeJS.ErrnoException).code ?? '');
    if (NOT_WRITABLE.test(`${code} ${one.message}`)) return true;
    one = one.cause;
  }
  return false;
}
