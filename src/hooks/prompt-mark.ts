import { readText, replaceFile, stagedPath } from '../host/files.ts';
import type { RoomContext } from '../room/context.ts';
import type { Session } from './session.ts';

const BYTES_MAX = 4_096;

/** Marks that a prompt of this turn is under way, or that the turn was interrupted. The file holds the turn's id, where it has one. */
export async function markPrompt({ host, layout }: RoomContext, session: Session, turnId = ''): Promise<void> {
  const staged = stagedPath(layout.tmp, host.randomBytes);
  const bytes = Buffer.from(turnId);
  await replaceFile(host.files, { path: session.layout.prompted, staged, bytes, mode: 0o600, durable: false });
}

/** The id of the turn whose prompt nothing has followed yet, empty where it has none; undefined where there is no such prompt. */
export function promptBefore({ host }: RoomContext, { layout }: Session): string | undefined {
  return host.files.lstat(layout.prompted) && (readText(host.files, layout.prompted, BYTES_MAX) ?? '');
}
