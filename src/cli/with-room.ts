import type { Agent } from '../room/agent.ts';
import { isNudgeDue } from '../room/nudge.ts';
import { contextOf, openRoom, type Nudger, type Room } from '../room/room.ts';
import { textOption } from './arguments.ts';
import type { Call } from './command.ts';
import { identityOf } from './identity.ts';

/** Opens the command's room for the work, and closes it afterwards. */
export async function withRoom<T>(call: Call, work: (room: Room) => Promise<T>): Promise<T> {
  const { host, cwd } = call;
  const room = await openRoom({
    directory: textOption(call.args, 'room'),
    cwd,
    host,
    nudge: nudgeApart(call),
  });
  try {
    return await work(room);
  } finally {
    await room.close();
  }
}

/** Nudges in a process of its own, so that a command ends as soon as its mail is delivered or printed. */
export function nudgeApart({ host, nudgeProgram }: Pick<Call, 'host' | 'nudgeProgram'>): Nudger {
  return (room, address, reason) => {
    if (!isNudgeDue(contextOf(room), address, reason)) return;
    host.processes.startDetached(process.execPath, [nudgeProgram, room.directory, address, reason]);
  };
}

/** The same, as the agent that runs the command. */
export function withAgent<T>(call: Call, work: (agent: Agent, room: Room) => Promise<T>): Promise<T> {
  return withRoom(call, (room) => work(room.agent(identityOf(call, room).address), room));
}
