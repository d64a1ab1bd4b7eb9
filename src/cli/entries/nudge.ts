import { nudgeAgent } from '../../room/nudge.ts';
import { contextOf, openRoom } from '../../room/room.ts';

/** `nudge.cjs <room> <address> <reason>`: commands start it in the background, so that no command waits for tmux. */
async function main([directory, address, reason]: readonly string[]): Promise<void> {
  if (directory === undefined || address === undefined) return;
  try {
    const room = await openRoom({ directory });
    await nudgeAgent(contextOf(room), address, reason === 'claimed' ? 'claimed' : 'delivered');
    await room.close();
  } catch {
    // Nobody would read an error here, and losing a nudge is always safe.
  }
}

void main(process.argv.slice(2));
