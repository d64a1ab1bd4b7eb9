import type { OutboxEntry } from '../../journal/record.ts';
import type { Refused } from '../../runtime/outbox.ts';
import { ActorNotFound, Conflict, MailroomError, MessageRefused } from '../../errors.ts';
import { acceptedBy } from '../../workflow/accepts.ts';
import { END } from '../../workflow/control.ts';
import { endingWithout } from '../../step/ending.ts';
import type { PlannedMessage } from '../../step/outgoing.ts';
import { errorFacts } from '../../errors.ts';
import { assertAddress, EVERYONE } from '../../message/address.ts';
import { findFault, writeEnvelope } from '../../message/envelope.ts';
import { assertDeclaredType } from '../../message/message-type.ts';
import type { Message } from '../../message/message.ts';
import { nearest } from '../../message/nearest.ts';
import { DEFAULT_LIMITS } from '../../room/limits.ts';
import type { Draft } from '../../room/draft.ts';
import type { InTransit, OpenQuestion, Situation } from './situation.ts';
import { assertData, type AgentAnswer, type SystemUnderTest } from './system.ts';

/** The mail of a step, on its way: what can never be delivered is kept for its sender, as the outbox of a host would. */
export function postPlanned(
  system: SystemUnderTest,
  before: Situation,
  { from, mail }: { from: string; mail: readonly PlannedMessage[] },
): Situation {
  let situation = before;
  for (const { id, effectId, to, draft, isControl } of mail.map((one) => carried(one, from))) {
    const message = messageOf({ id, from, to, draft });
    const { type, content } = draft;
    const entry: OutboxEntry = { id, effectId, to, type, content };
    const refused: Refused[] = [];
    for (const one of recipientsOf(system, situation, message)) {
      const error = refusalOf(system, situation, { to: one, message, isControl });
      if (error) refused.push({ to: one, error: errorFacts(error) });
      else situation = put(system, situation, { to: one, message, isControl });
    }
    if (refused.length > 0) {
      situation = { ...situation, undeliverable: [...situation.undeliverable, { from, entry, refused }] };
    }
  }
  return situation;
}

/** An END whose output no message can carry goes out without it, as from a host. */
function carried(mail: PlannedMessage, from: string): PlannedMessage {
  if (!mail.isControl || mail.draft.type !== END) return mail;
  const fault = faultOf(messageOf({ ...mail, from }));
  return fault ? endingWithout(mail, errorFacts(fault)) : mail;
}

/** What an agent sends; what nobody is there for is not sent. */
export function postFromAgent(
  system: SystemUnderTest,
  situation: Situation,
  message: Message,
): { readonly situation: Situation; readonly recipients: readonly string[] } {
  const recipients = recipientsOf(system, situation, message).filter((one) => isThere(situation, one));
  const posted = recipients.reduce((before, to) => put(system, before, { to, message, isControl: false }), situation);
  return { situation: posted, recipients };
}

export function messageOf({
  id,
  from,
  to,
  draft,
}: {
  id: string;
  from: string;
  to: readonly string[];
  draft: Draft;
}): Message {
  const { type, content, data, threadId, replyTo, needsAck } = draft;
  return {
    id,
    room: 'explored',
    from,
    to,
    type,
    sentAt: SENT_AT,
    content,
    // What arrives was written and read again.
    ...(data === undefined ? {} : { data: JSON.parse(JSON.stringify(data)) as unknown }),
    ...(threadId === undefined ? {} : { threadId }),
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(needsAck === undefined ? {} : { needsAck }),
  };
}

/** The time in every id of an exploration. */
const SENT_AT = '1970-01-01T00:00:00.000Z';

function recipientsOf({ agents = {} }: SystemUnderTest, situation: Situation, message: Message): string[] {
  if (message.to[0] !== EVERYONE) return [...new Set(message.to)];
  const hearing = [...situation.workflows].filter(([, { machine }]) => acceptedBy(machine).broadcasts);
  const everyone = [...Object.keys(agents).filter((name) => name !== 'system'), ...hearing.map(([address]) => address)];
  const others = everyone.filter((address) => address !== message.from);
  // Nobody to broadcast to is an error of the sender, unless it is an agent.
  return others.length === 0 && situation.workflows.has(message.from) ? [EVERYONE] : others;
}

/** Why a host could never deliver it; undefined when it can. */
function refusalOf(
  { workflows, agents = {} }: SystemUnderTest,
  situation: Situation,
  { to, message, isControl }: InTransit,
): MailroomError | undefined {
  const fault = faultOf(message);
  if (fault) return fault;
  if (to === EVERYONE) {
    const detail = 'A broadcast would reach nobody: no other agent has joined this room.';
    return new MessageRefused(detail, { reason: 'rejected' });
  }
  try {
    if (!isControl) {
      const machines = [...situation.workflows.values()].map(({ machine }) => Object.keys(acceptedBy(machine).schemas));
      const cards = Object.values(agents).map(({ accepts = [] }) => accepts);
      assertDeclaredType(message.type, new Set([...machines, ...cards].flat()));
    }
    assertAddress(to);
  } catch (error) {
    if (error instanceof MailroomError) return error;
    throw error;
  }
  if (message.type === 'START' && isControl && (to in workflows || to in agents)) {
    return new Conflict(`${to} cannot be the address of a child: it is another actor's.`);
  }
  if (isThere(situation, to)) return undefined;
  const near = nearest(to, [...situation.workflows.keys(), ...situation.agents.keys()]);
  return new ActorNotFound(`Nobody has joined this room as ${to}.`, { address: to, nearest: near });
}

/** Why it cannot even be made. */
function faultOf(message: Message): MessageRefused | undefined {
  const bytes = Buffer.from(writeEnvelope(message));
  const fault = findFault(message, bytes, DEFAULT_LIMITS);
  if (fault) return new MessageRefused(`The message was not sent: ${fault.detail}.`, { reason: 'rejected' });
  if (bytes.length <= DEFAULT_LIMITS.messageBytesMax) return undefined;
  const detail = `the message has ${bytes.length} bytes, the limit is ${DEFAULT_LIMITS.messageBytesMax}`;
  return new MessageRefused(`The message was not sent: ${detail}.`, { reason: 'rejected' });
}

function isThere(situation: Situation, address: string): boolean {
  return situation.workflows.has(address) || situation.agents.has(address);
}

/** Agents read at once: when they react is up to them, so nobody could tell that they read later. */
function put(system: SystemUnderTest, situation: Situation, sent: InTransit): Situation {
  const agent = situation.agents.get(sent.to);
  if (!agent) return { ...situation, transit: [...situation.transit, sent] };
  const { answers, remembers } = system.agents?.[sent.to] ?? {};
  const question = questionOf(sent, answers?.(sent.message) ?? []);
  const memory = remembers?.(sent.message);
  const next = {
    ...agent,
    open: question ? [...agent.open, question] : agent.open,
    remembered: memory === undefined ? agent.remembered : [...agent.remembered, memory],
  };
  return { ...situation, agents: new Map([...situation.agents, [sent.to, next]]) };
}

function questionOf(
  { to, message }: InTransit,
  given: readonly (AgentAnswer | readonly AgentAnswer[] | null)[],
): OpenQuestion | undefined {
  const answers = given.filter((one) => one !== null).map((one) => [one].flat() as readonly AgentAnswer[]);
  for (const { type, data } of answers.flat()) assertData(data, `${to} answers ${message.type} by ${type}`);
  return answers.length === 0 ? undefined : { message, answers, mayStayOpen: given.includes(null) };
}
