import { expectTypeOf, test } from 'vitest';
import {
  MessagingSystem,
  MessageType,
  type Agent,
  type DeliveryOutcome,
  type Draft,
  type MailroomError,
  type Mail,
  type Message,
  type Room,
  type SendReport,
} from '../../src/index.ts';

declare const agent: Agent;
declare const room: Room;
declare const mail: Mail;
declare const message: Message;

test('send takes one recipient and a draft, and resolves with a report', () => {
  expectTypeOf<Agent['send']>().returns.toEqualTypeOf<Promise<SendReport>>();
  void agent.send({ to: 'bob', type: 'INFO', content: 'hello' });
  void agent.send({
    to: 'bob',
    type: MessageType.REVIEW_REQUEST,
    content: '',
    data: { anything: [1] },
    threadId: 't',
    replyTo: message.id,
    needsAck: true,
    expiresInMs: 1_000,
    id: message.id,
    durability: 'process',
  });
  // @ts-expect-error: no recipient.
  void agent.send({ type: 'INFO', content: 'hello' });
  // @ts-expect-error: one recipient, not several.
  void agent.send({ to: ['bob'], type: 'INFO', content: 'hello' });
  // @ts-expect-error: no content.
  void agent.send({ to: 'bob', type: 'INFO' });
  // @ts-expect-error: no such durability.
  void agent.send({ to: 'bob', type: 'INFO', content: '', durability: 'none' });
  // @ts-expect-error: the sender is always the agent.
  void agent.send({ to: 'bob', type: 'INFO', content: '', from: 'carol' });
});

test('broadcast takes no recipient, and excludes its sender by default', () => {
  expectTypeOf<Agent['broadcast']>().returns.toEqualTypeOf<Promise<SendReport>>();
  void agent.broadcast({ type: 'INFO', content: 'hello' });
  void agent.broadcast({ type: 'INFO', content: 'hello', excludeSelf: false });
  // @ts-expect-error: it goes to everybody.
  void agent.broadcast({ to: 'bob', type: 'INFO', content: 'hello' });
});

test('reply answers mail or a message, and finds recipient and thread itself', () => {
  expectTypeOf<Agent['reply']>().parameter(0).toEqualTypeOf<Mail | Message>();
  expectTypeOf<Agent['reply']>().returns.toEqualTypeOf<Promise<SendReport>>();
  void agent.reply(mail, { type: 'INFO', content: 'yes' });
  void agent.reply(message, { type: 'INFO', content: 'yes' });
  // @ts-expect-error: the answered message is the first argument.
  void agent.reply(mail, { type: 'INFO', content: 'yes', replyTo: message.id });
  // @ts-expect-error: an id does not tell the recipient of the reply.
  void agent.reply(message.id, { type: 'INFO', content: 'yes' });
});

test('a report has an outcome for each attempted recipient', () => {
  expectTypeOf<SendReport['id']>().toEqualTypeOf<string>();
  expectTypeOf<SendReport['message']>().toEqualTypeOf<Message>();
  expectTypeOf<SendReport['outcomes']>().toEqualTypeOf<Readonly<Record<string, DeliveryOutcome>>>();
  const describe = (report: SendReport): string => {
    const outcome = report.outcomes['bob'];
    // @ts-expect-error: bob may not be among them.
    void outcome.outcome;
    if (!outcome) return 'not tried';
    switch (outcome.outcome) {
      case 'delivered':
        // @ts-expect-error: a delivered outcome has no error.
        void outcome.error;
        return outcome.again ? 'delivered before' : 'delivered';
      case 'failed':
      case 'unknown':
        // @ts-expect-error: only a delivered outcome can be a repeated one.
        void outcome.again;
        return (outcome.error satisfies MailroomError) && outcome.error.code;
      default:
        return outcome satisfies never;
    }
  };
  expectTypeOf(describe).returns.toEqualTypeOf<string>();
});

test('a message is read-only', () => {
  // @ts-expect-error: read-only.
  message.from = 'carol';
  // @ts-expect-error: read-only.
  message.to.push('carol');
  expectTypeOf<Message['data']>().toEqualTypeOf<unknown>();
  expectTypeOf<Message['replyTo']>().toEqualTypeOf<string | undefined>();
});

test('MessagingSystem has the protocol’s own two verbs, in their own order of arguments', () => {
  void new MessagingSystem(room);
  expectTypeOf<MessagingSystem['sendMessage']>().parameters.toEqualTypeOf<
    [sender: string, recipient: string, type: string, content: string]
  >();
  expectTypeOf<MessagingSystem['sendMessage']>().returns.toEqualTypeOf<Promise<SendReport>>();
  expectTypeOf<MessagingSystem['broadcastMessage']>().parameters.toEqualTypeOf<
    [sender: string, type: string, content: string, excludeSelf?: boolean | undefined]
  >();
  expectTypeOf<MessagingSystem['broadcastMessage']>().returns.toEqualTypeOf<Promise<SendReport>>();
});

test('MessageType is both the names and their union', () => {
  expectTypeOf<MessageType>().toEqualTypeOf<
    'QUESTION' | 'REVIEW-REQUEST' | 'BLOCKED' | 'COMPLETED' | 'CHALLENGE' | 'INFO' | 'ACK'
  >();
  expectTypeOf(MessageType.QUESTION).toEqualTypeOf<'QUESTION'>();
  // Workflows declare further types, so a draft takes any text.
  expectTypeOf<Draft['type']>().toEqualTypeOf<string>();
  // @ts-expect-error: a constant.
  MessageType.ACK = 'INFO';
});
