import { isCommonType } from '../message/message-type.ts';
import { InvalidInput, isLeaseLost, isRoomLost } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { Mail } from '../room/mail.ts';
import type { Room } from '../room/room.ts';
import type { AgentEvent, AgentSettings } from './settings.ts';
import { missingProgram } from './invocation.ts';
import { LEASE_MS, messageOf, serveMail, TROUBLE_MS, type Served, type Serving } from './serve-mail.ts';
import { tidy } from './tidy.ts';

export interface RunAgentOptions extends AgentSettings {
  readonly address: string;
  /** For its card. */
  readonly program?: string | undefined;
  readonly skills?: readonly string[] | undefined;
  /** Whether broadcasts come to it, too; true when not given. */
  readonly broadcasts?: boolean | undefined;
  /** Take the address from a live agent. */
  readonly takeOver?: boolean | undefined;
  /** Ends it; what it holds is given back, and a command that runs is ended. */
  readonly signal: AbortSignal;
  /** Ends it later than `signal`: it takes no new question, but it finishes the one at hand and sends the answer. */
  readonly drain?: AbortSignal | undefined;
  /** Ends it after so many answers. */
  readonly answersMax?: number | undefined;
  readonly tell?: ((event: AgentEvent) => void) | undefined;
  /** It has the address from now on. */
  readonly onJoined?: (() => void) | undefined;
}

/**
 * Joins as an address and answers its mail with a command until a signal aborts; resolves with the number of answers.
 *
 * Guarantee: whatever kills this process at whatever instant, whoever runs it next sends each question one answer, and
 * asks the command again only where no answer of it was stored. Throws `Conflict` when a live agent or a workflow has the address,
 * `InvalidInput` also when the program of the command is not on this machine, and what makes the mailbox unreadable.
 */
export async function runAgent(room: Room, options: RunAgentOptions): Promise<number> {
  const { address, program, skills, broadcasts, takeOver, signal, drain, ...others } = options;
  const { answersMax = Infinity, tell = () => {}, onJoined, ...settings } = others;
  const { context } = room;
  await assertProgram(context.host, settings);
  const accepts = [...settings.types].filter((type) => !isCommonType(type));
  const agent = await room.join(address, { program, skills, broadcasts, accepts, takeOver });
  onJoined?.();
  await tidy(context, address);
  const answered = new Set<string>();
  const serving: Serving = { context, agent, settings, signal, tell, answered };
  const over = AbortSignal.any(drain ? [signal, drain] : [signal]);
  /** Whether that was the last one. */
  const deal = async (mail: Mail): Promise<boolean> => {
    if (over.aborted) return true;
    const { retryInMs } = await serveSafely(serving, mail);
    if (answered.size >= answersMax) return true;
    if (retryInMs !== undefined) await context.host.clock.sleep(retryInMs, over);
    return over.aborted;
  };
  try {
    // What a process before this one held: the address is this one's now.
    for (const mail of agent.held()) if (await deal(mail)) return answered.size;
    for await (const mail of agent.inbox({ signal: over, leaseMs: LEASE_MS })) if (await deal(mail)) break;
    return answered.size;
  } finally {
    if (over.aborted) for (const mail of agent.held()) await mail.release().catch(() => {});
  }
}

/** Before it joins: nobody is to write to an agent that can answer nothing. */
async function assertProgram(host: Host, settings: AgentSettings): Promise<void> {
  const missing = await missingProgram(host, settings);
  if (missing === undefined) return;
  const where = missing.includes('/') ? '' : ' in the PATH';
  throw new InvalidInput(`There is no program ${missing}${where}, and it is what answers the mail.`, {
    hint: 'Install it, or name another one: --preset or --exec.',
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
