import { isCommonType } from '../message/message-type.ts';
import { InvalidInput, isLeaseLost, isRoomLost } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { Mail } from '../room/mail.ts';
import { contextOf, type Room } from '../room/room.ts';
import type { AgentEvent, AgentSettings } from './settings.ts';
import { missingProgram } from './invocation.ts';
import { LEASE_MS, messageOf, serveMail, TROUBLE_MS, type Served, type Serving } from './serve-mail.ts';
import { forgetAcknowledged } from './forget-question.ts';

/** Which agent `runAgent` runs, how it answers and when it stops. */
export interface RunAgentOptions extends AgentSettings {
  /** The agent's address. */
  readonly address: string;
  /** The program on the agent's card. Default: none. */
  readonly program?: string | undefined;
  /** The skills on the agent's card. Default: none. */
  readonly skills?: readonly string[] | undefined;
  /** Whether broadcasts are delivered to the agent. Default: true. */
  readonly broadcasts?: boolean | undefined;
  /** Take the address from a live agent. Default: false. */
  readonly takeOver?: boolean | undefined;
  /** Stops the agent when it aborts: its messages are released, and a running program is ended. */
  readonly signal: AbortSignal;
  /** Stops the agent when it aborts, but only after it has answered the message at hand. Default: never. */
  readonly drain?: AbortSignal | undefined;
  /** Stop after this many answers. Default: no limit. */
  readonly answersMax?: number | undefined;
  /** Called with what the agent does. Default: none. */
  readonly tell?: ((event: AgentEvent) => void) | undefined;
  /** Called once the agent has its address. Default: none. */
  readonly onJoined?: (() => void) | undefined;
}

/**
 * Joins as an agent and answers its mail with a program until a signal aborts. Resolves with the number of answers. If the
 * process is killed at any instant, the next one sends every question exactly one answer, and runs the program again only if
 * it has not stored an answer.
 *
 * @throws `Conflict` if a live agent or a workflow has the address; `InvalidInput` if the program is not on this machine, or
 * for what `Room.join` refuses; `RoomNotFound` or `RoomReplaced` if the room is gone.
 *
 * @example
 * ```ts
 * import { openRoom } from 'agent-mailroom';
 * import { runAgent } from 'agent-mailroom/agents';
 *
 * await using room = await openRoom();
 * await runAgent(room, {
 *   address: 'reviewer',
 *   command: { kind: 'preset', preset: 'claude', args: [] },
 *   cwd: '/work/project',
 *   types: new Set(['CHALLENGE']),
 *   timeoutMs: 600_000,
 *   outputBytesMax: 1_048_576,
 *   triesMax: 3,
 *   backoffMs: 10_000,
 *   signal: AbortSignal.timeout(3_600_000),
 *   tell: ({ kind, message }) => console.error(kind, message.id),
 * });
 * ```
 */
export async function runAgent(room: Room, options: RunAgentOptions): Promise<number> {
  const { address, program, skills, broadcasts, takeOver, signal, drain, ...others } = options;
  const { answersMax = Infinity, tell = () => {}, onJoined, ...settings } = others;
  const context = contextOf(room);
  await assertProgram(context.host, settings);
  const accepts = [...settings.types].filter((type) => !isCommonType(type));
  const agent = await room.join(address, { program, skills, broadcasts, accepts, takeOver });
  onJoined?.();
  await forgetAcknowledged(context, address);
  const answered = new Set<string>();
  const serving: Serving = { context, agent, settings, signal, tell, answered };
  const over = AbortSignal.any(drain ? [signal, drain] : [signal]);
  /** Handles one message; resolves with whether it was the last one. */
  const handle = async (mail: Mail): Promise<boolean> => {
    if (over.aborted) return true;
    const { retryInMs } = await serveSafely(serving, mail);
    if (answered.size >= answersMax) return true;
    if (retryInMs !== undefined) await context.host.clock.sleep(retryInMs, over);
    return over.aborted;
  };
  try {
    // Mail that an earlier process held, because the address now belongs to this one.
    for (const mail of agent.held()) if (await handle(mail)) return answered.size;
    for await (const mail of agent.inbox({ signal: over, leaseMs: LEASE_MS })) if (await handle(mail)) break;
    return answered.size;
  } finally {
    if (over.aborted) for (const mail of agent.held()) await mail.release().catch(() => {});
  }
}

/** Checked before it joins, so that nobody writes to an agent that cannot answer. */
async function assertProgram(host: Host, settings: AgentSettings): Promise<void> {
  const missing = await missingProgram(host, settings);
  if (missing === undefined) return;
  const where = missing.includes('/') ? '' : ' in the PATH';
  throw new InvalidInput(`There is no program ${missing}${where} to answer the mail.`, {
    hint: 'Install it, or name another program with --preset or --exec.',
  });
}

async function serveSafely(serving: Serving, mail: Mail): Promise<Served> {
  try {
    return await serveMail(serving, mail);
  } catch (error) {
    if (isRoomLost(error)) throw error;
    if (serving.signal.aborted) return {};
    const isLost = isLeaseLost(error);
    serving.tell({ kind: isLost ? 'lost' : 'trouble', message: mail.message, why: messageOf(error) });
    return isLost ? {} : { retryInMs: TROUBLE_MS };
  }
}
