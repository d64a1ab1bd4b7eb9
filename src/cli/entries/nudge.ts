import { nudgeAgent } from '../../room/nudge.ts';
import { openRoom } from '../../room/room.ts';

/** `nudge.cjs <room> <address>`: started in the background by whoever sent a message, so that nobody waits for tmux. */
async function main([directory, address]: readonly string[]): Promise<void> {
  if (directory === undefined || address === undefined) return;
  try {
    const room = await openRoom({ directory });
    await nudgeAgent(room.context, address);
    await room.close();
  } catch {
    // Nobody reads what this would say, and losing a nudge is always safe.
  }
}

void main(process.argv.slice(2));
