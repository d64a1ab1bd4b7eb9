import type { runAgent } from '../agents/run-agent.ts';
import { importModule } from './import-module.ts';
import type { openRoom } from '../room/room.ts';

/** What the commands use of `agent-mailroom/agents`. */
interface AgentsLibrary {
  readonly openRoom: typeof openRoom;
  readonly runAgent: typeof runAgent;
}

const LIBRARY: string = 'agent-mailroom/agents';

/** The library beside this command, and no part of its bundle: it starts programs that lie beside its own files. */
export async function loadAgents(): Promise<AgentsLibrary> {
  return (await importModule(LIBRARY)) as AgentsLibrary;
}
