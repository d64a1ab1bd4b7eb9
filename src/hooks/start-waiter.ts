import type { Processes } from '../host/processes.ts';
import type { HookEvent } from './hook-event.ts';

/**
 * Starts `mailroom hook codex wake` after a turn of Codex. It waits in the background and outlives this hook, because Codex
 * runs no hooks in the background; other programs do. `mailroom` is the file of the command.
 */
export function startWaiter(
  processes: Pick<Processes, 'startDetached'>,
  { program, kind, sessionId, cwd }: HookEvent,
  mailroom: string,
): void {
  if (program !== 'codex' || kind !== 'turn-end') return;
  const input = JSON.stringify({ session_id: sessionId, cwd });
  processes.startDetached(process.execPath, [mailroom, 'hook', program, 'wake', input]);
}
