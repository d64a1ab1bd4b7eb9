import { isMailroomError } from '../errors.ts';
import type { Expected } from '../machine/receive.ts';
import { listAddresses, type RoomContext } from '../room/context.ts';
import { unfinishedChild, type Addresses } from './unfinished-child.ts';

export interface AdoptChildren {
  /** By address, those that this process runs, the adopted ones too. */
  readonly parents: Addresses;
  /** Whether it is run here, or about to be. */
  readonly isHere: (address: string) => boolean;
  readonly open: (address: string, child: Expected) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Opens children that an earlier host has left with something undone, although their parents no longer wait for them. */
export async function adoptChildren(
  context: RoomContext,
  { parents, isHere, open, signal }: AdoptChildren,
): Promise<void> {
  const tried = new Set<string>();
  for (let found = true; found && !signal.aborted;) {
    found = false;
    for (const address of listAddresses(context)) {
      if (tried.has(address) || isHere(address)) continue;
      const child = unfinishedChild(context, address, parents);
      if (!child || !parents.has(child.parent.address)) continue;
      tried.add(address);
      found = true;
      try {
        await open(address, child);
      } catch (error) {
        // That the code does not have it any more, say, is no reason not to run its parent.
        if (!isMailroomError(error)) throw error;
        const detail = `left as it is: ${error.message}`;
        context.log.append({ event: 'warning', from: child.parent.address, to: address, detail });
      }
    }
  }
}
