import type { Agent } from '../room/agent.ts';
import { isNudgeable } from '../room/nudge.ts';
import { openRoom, type Room } from '../room/room.ts';
import { textOption } from './arguments.ts';
import type { Call } from './command.ts';
import { identityOf } from './identity.ts';

/** Opens the room that the command means, and closes it afterwards. */
export async function withRoom<T>(call: Call, work: (room: Room) => Promise<T>): Promise<T> {
  const { host, cwd, nudgeProgram } = call;
  const room = await openRoom({
    directory: textOption(call.args, 'room'),
    cwd,
    host,
    // A process of its own: this one ends as soon as the message is delivered.
    nudge: (context, address) => {
      if (!isNudgeable(context, address)) return;
      host.processes.startDetached(process.execPath, [nudgeProgram, context.layout.directory, address]);
    },
  });
  try {
    return await work(room);
  } finally {
    await room.close();
  }
}

/** The same, as the one who gives the command. */
export function withAgent<T>(call: Call, work: (agent: Agent, room: Room) => Promise<T>): Promise<T> {
  return withRoom(call, (room) => work(room.agent(identityOf(call, room).address), room));
}
