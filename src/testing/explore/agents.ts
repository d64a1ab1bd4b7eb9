import type { Message } from '../../message/message.ts';
import type { Move, Taken } from './move.ts';
import { messageOf, postFromAgent } from './post.ts';
import type { AgentAt, InTransit, OpenQuestion, Situation } from './situation.ts';
import { messageIdOf, type AgentAnswer, type AgentMail, type SystemUnderTest } from './system.ts';

type Deliver = (situation: Situation, sent: InTransit) => Taken | undefined;

/**
 * What agents may do. One message to one workflow arrives in the same move: that it lies there for a while is no different
 * from being sent later. Several keep their order on the way.
 */
export function agentMoves(system: SystemUnderTest, situation: Situation, deliver: Deliver): Move[] {
  return [...situation.agents].flatMap(([name, agent]) => {
    const acting = { system, situation, name, agent, deliver };
    const sends = system.agents?.[name]?.sends ?? [];
    return [
      ...sends.flatMap((mail, index) => sendMove(acting, mail, index)),
      ...agent.open.flatMap((question, index) => answerMoves(acting, question, index)),
    ];
  });
}

interface Acting {
  readonly system: SystemUnderTest;
  readonly situation: Situation;
  readonly name: string;
  readonly agent: AgentAt;
  readonly deliver: Deliver;
}

function sendMove(acting: Acting, mail: AgentMail, index: number): Move[] {
  const { situation, system, name, agent } = acting;
  const { to, type, content = '', data, times = 1, always = false } = mail;
  const sent = agent.sent[index] ?? 0;
  if (sent >= times) return [];
  const message = messageOf({
    id: messageIdOf(`${name} sends ${index} ${sent}`),
    from: name,
    to: [to],
    draft: { type, content, data },
  });
  // Nobody can send to somebody who is not there yet.
  if (postFromAgent(system, situation, message).recipients.length === 0) return [];
  const counted = { ...agent, sent: agent.sent.with(index, sent + 1) };
  return [{ isCertain: always, take: () => send(acting, counted, [message]) }];
}

function answerMoves(acting: Acting, question: OpenQuestion, index: number): Move[] {
  const { name, agent } = acting;
  const left = { ...agent, open: agent.open.filter((_, at) => at !== index) };
  return question.answers.map((answers) => ({
    isCertain: !question.mayStayOpen,
    take: () =>
      send(
        acting,
        left,
        answers.map((answer, at) => answerOf(name, question.message, answer, at)),
      ),
  }));
}

function answerOf(name: string, question: Message, answer: AgentAnswer, at: number): Message {
  const { type, content = '', data, to } = answer;
  const reply = { replyTo: question.id, threadId: question.threadId ?? question.id };
  return messageOf({
    id: messageIdOf(`${name} answers ${question.id} ${at} ${JSON.stringify(answer)}`),
    from: name,
    to: [to ?? question.from],
    draft: { type, content, data, ...(to === undefined ? reply : {}) },
  });
}

function send({ system, situation, name, deliver }: Acting, agent: AgentAt, messages: readonly Message[]): Taken {
  const before: Situation = { ...situation, agents: new Map([...situation.agents, [name, agent]]) };
  const [message] = messages;
  if (message && messages.length === 1) {
    const { recipients } = postFromAgent(system, before, message);
    const [to = ''] = recipients;
    const isHeldUp = before.transit.some((sent) => sent.to === to && sent.message.from === name);
    if (recipients.length === 1 && before.workflows.has(to) && !isHeldUp) {
      const taken = deliver(before, { to, message, isControl: false });
      if (taken) return taken;
    }
  }
  let after: Situation = before;
  const mail = messages.map((one) => {
    const posted = postFromAgent(system, after, one);
    after = posted.situation;
    return { message: one, recipients: posted.recipients };
  });
  return { situation: after, sent: { from: name, mail } };
}
