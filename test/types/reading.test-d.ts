import { expectTypeOf, test } from 'vitest';
import type { Agent, InboxOptions, Mail, Message, MessageStatus, PurgeReport, Room } from '../../src/index.ts';

declare const agent: Agent;
declare const mail: Mail;

test('the inbox is an AsyncIterable of mail', async () => {
  expectTypeOf<Agent['inbox']>().returns.toEqualTypeOf<AsyncIterable<Mail>>();
  expectTypeOf<Agent['inbox']>().parameters.toEqualTypeOf<[options?: InboxOptions | undefined]>();
  const { signal } = new AbortController();
  for await (const one of agent.inbox({ signal, leaseMs: 1_000, wait: true, pollMs: 1_000, watch: false })) {
    expectTypeOf(one).toEqualTypeOf<Mail>();
    expectTypeOf(one.message).toEqualTypeOf<Message>();
  }
  // @ts-expect-error: cannot be iterated synchronously.
  for (const one of agent.inbox()) void one;
  // @ts-expect-error: no such option.
  agent.inbox({ timeout: 1 });
});

test('mail can be acknowledged, released, renewed and rejected, and has its attempt number', () => {
  expectTypeOf<Mail['ack']>().toEqualTypeOf<() => Promise<void>>();
  expectTypeOf<Mail['release']>().toEqualTypeOf<() => Promise<void>>();
  expectTypeOf<Mail['renew']>().toEqualTypeOf<(leaseMs?: number) => Promise<void>>();
  expectTypeOf<Mail['reject']>().toEqualTypeOf<(detail: string) => Promise<void>>();
  expectTypeOf(mail.attempt).toEqualTypeOf<number>();
  expectTypeOf(mail.leaseEndsAtMs).toEqualTypeOf<number>();
  // @ts-expect-error: read-only, because the file's name holds the lease.
  mail.leaseEndsAtMs = 0;
});

test('status is a line for each recipient, and tells what lies where', () => {
  expectTypeOf<Room['status']>().toEqualTypeOf<(id: string) => MessageStatus[]>();
  expectTypeOf<MessageStatus['state']>().toEqualTypeOf<
    'delivered' | 'claimed' | 'released' | 'acknowledged' | 'dead'
  >();
  expectTypeOf<MessageStatus['recipient']>().toEqualTypeOf<string>();
});

test('one message is claimed or acknowledged by its id', () => {
  expectTypeOf<Agent['claim']>().returns.toEqualTypeOf<Promise<Mail>>();
  expectTypeOf<Agent['acknowledge']>().toEqualTypeOf<(id: string) => Promise<string>>();
  expectTypeOf<Agent['held']>().toEqualTypeOf<() => Mail[]>();
  expectTypeOf<Agent['purge']>().toEqualTypeOf<() => Promise<PurgeReport>>();
});
