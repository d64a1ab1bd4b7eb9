import type { Processes } from '../host/processes.ts';
import type { HookEvent } from './hook-event.ts';

/**
 * Behind a turn of Codex, which starts no hook that may wait in the background: has `mailroom hook codex wake` wait, which outlives
 * this one. Other programs start their own. `mailroom` is the file of the command.
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
