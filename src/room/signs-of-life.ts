import { constants } from 'node:fs';
import { errnoOf } from '../host/file-system.ts';
import { actorLayout } from '../message/layout.ts';
import type { RoomContext } from './context.ts';

const OPEN_TOUCH = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;

/** Notes that the actor looked at its mailbox just now. A sign that cannot be given stops nothing. */
export function showLife(context: RoomContext, address: string): void {
  try {
    context.standing.assertSame();
  } catch {
    // It would be a sign in another room.
    return;
  }
  touch(context, actorLayout(context.layout, address).seen);
}

/** When the actor last looked at its mailbox, in ms since the epoch; undefined when never. */
export function lastSeenMs({ host, layout }: RoomContext, address: string): number | undefined {
  return host.files.lstat(actorLayout(layout, address).seen)?.mtimeMs;
}

/** Sets a file's times, to now by default, creating it empty when it is not there. */
export function touch({ host }: RoomContext, path: string, timeMs = host.clock.now()): void {
  const { files } = host;
  try {
    files.utimes(path, timeMs);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') return;
    try {
      files.close(files.open(path, OPEN_TOUCH, 0o600));
      files.utimes(path, timeMs);
    } catch {
      // The same holds for the first sign.
    }
  }
}
