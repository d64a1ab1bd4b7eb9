import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeAnswer } from '../../src/agents/make-answer.ts';
import { type AgentReply, type Exchange, withExchange } from '../../src/agents/records.ts';
import { replyId } from '../../src/agents/question.ts';
import { sendAnswer, type SendResult } from '../../src/agents/serve-mail.ts';
import type { Clock } from '../../src/host/host.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { contextOf } from '../../src/room/room.ts';
import { initRoom, openRoom, type Agent, type Mail, type Message, type Room } from '../../src/index.ts';

const NEVER = new AbortController().signal;

/** A clock that advances while code sleeps on it. */
function createRestlessClock(): Clock & { slept: number } {
  let ahead = 0;
  const clock = {
    slept: 0,
    now: () => Date.now() + ahead,
    uptimeMs: () => performance.now() + ahead,
    sleep: async (durationMs: number) => {
      await new Promise((resolve) => setImmediate(resolve));
      ahead += durationMs;
      clock.slept += 1;
    },
  };
  return clock;
}

let base: string;
let clock: ReturnType<typeof createRestlessClock>;
let room: Room;
let alice: Agent;
let bob: Agent;
beforeEach(async () => {
  base = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-delivering-'));
  const { directory } = await initRoom({ cwd: base, limits: { rateLimit: 4, newMessagesMax: 6 } });
  clock = createRestlessClock();
  room = await openRoom({ directory, host: { ...nodeHost, clock }, durability: 'process', nudge: () => {} });
  alice = await room.join('alice');
  bob = await room.join('bob');
});
afterEach(async () => {
  await room.close();
  fs.rmSync(base, { recursive: true });
});

async function ask(): Promise<Mail> {
  const { id } = await alice.send({ to: 'bob', type: 'QUESTION', content: 'which port?' });
  return bob.claim(id);
}

function answerOf(question: Message, content: string): AgentReply {
  return { id: replyId('bob', question, clock.now()), type: 'INFO', content, isFailure: false };
}

const send = (question: Message, answer: AgentReply): Promise<SendResult> =>
  sendAnswer(bob, { question, answer, signal: NEVER });

describe('a stored answer', () => {
  it('arrives once, however often it is sent', async () => {
    const { message } = await ask();
    const answer = answerOf(message, 'Port 8080.');
    expect([await send(message, answer), await send(message, answer), await send(message, answer)]).toEqual([
      'delivered',
      'delivered',
      'delivered',
    ]);
    const { unsettled } = alice.list();
    expect(unsettled.map((one) => one.message)).toMatchObject([
      { id: answer.id, content: 'Port 8080.', replyTo: message.id, threadId: message.id },
    ]);
  });

  it('waits for the rate limit', async () => {
    const { message } = await ask();
    await room.join('carol');
    for (const content of ['1', '2', '3', '4'])
      await bob.send({ to: content === '4' ? 'alice' : 'carol', type: 'INFO', content });
    const before = clock.now();
    expect(await send(message, answerOf(message, 'late'))).toBe('delivered');
    expect(clock.now() - before).toBeGreaterThan(30_000);
  });

  it('is postponed while the mailbox is full, and delivered when there is space again', async () => {
    const { message } = await ask();
    for (const content of ['1', '2', '3']) await bob.send({ to: 'alice', type: 'INFO', content });
    const answer = answerOf(message, 'at last');
    expect(await send(message, answer)).toMatchObject({ postponed: expect.stringContaining('full for bob') as string });
    for await (const mail of alice.inbox({ wait: false })) await mail.ack();
    await clock.sleep(2_000);
    expect(await send(message, answer)).toBe('delivered');
  });

  it('is postponed, not refused, when the clock was set back to more than a day before its id', async () => {
    const { message } = await ask();
    const answer = { ...answerOf(message, 'early'), id: replyId('bob', message, clock.now() + 2 * 86_400_000) };
    expect(await send(message, answer)).toMatchObject({
      postponed: expect.stringContaining('its id is from') as string,
    });
  });

  it('is permanently refused when another message has its id', async () => {
    const { message } = await ask();
    const answer = answerOf(message, 'one');
    expect(await send(message, answer)).toBe('delivered');
    expect(await send(message, { ...answer, content: 'two' })).toMatchObject({ refused: expect.any(String) as string });
  });
});

describe('a note about how an answer was made', () => {
  const notes = { denied: ['Edit', 'Bash'], retold: 2 };

  it('is the data of an answer without data', async () => {
    const { message: question } = await ask();
    const made = { address: 'bob', question, tries: 1 };
    const answer = makeAnswer(contextOf(room), { ...made, reply: { content: '8080' }, notes });
    expect(answer).toMatchObject({ content: '8080', data: notes, denied: ['Edit', 'Bash'] });
    const plain = makeAnswer(contextOf(room), {
      ...made,
      reply: { content: '8080' },
      notes: { denied: [], retold: undefined },
    });
    expect(plain).not.toHaveProperty('data');
    expect(plain).not.toHaveProperty('denied');
  });

  it('is below the text of an answer with data, which may have to fit a schema', async () => {
    const { message: question } = await ask();
    const reply = { content: 'b', data: { option: 'b' } };
    const answer = makeAnswer(contextOf(room), { address: 'bob', question, reply, notes, tries: 1 });
    expect(answer.data).toEqual({ option: 'b' });
    expect(answer.content).toMatch(
      /^b\n\nThe session .* was lost; .* 2 earlier messages\.\nI was not allowed to use: Edit, Bash\.$/,
    );
  });
});

it('keeps the last exchanges of a thread, each once, and cuts long ones', () => {
  const exchange = (n: number, text = 'x'): Exchange => ({
    id: `${n}`,
    from: 'alice',
    type: 'QUESTION',
    sentAt: 'now',
    content: text,
    answer: text,
  });
  const idsOf = (exchanges: readonly Exchange[]): string[] => exchanges.map(({ id }) => id);
  const many = Array.from({ length: 30 }, (_, n) => n).reduce<Exchange[]>(
    (kept, n) => withExchange(kept, exchange(n)),
    [],
  );
  expect(idsOf(many)).toEqual(Array.from({ length: 20 }, (_, n) => `${n + 10}`));
  expect(withExchange(many, exchange(29))).toEqual(many);
  const long = [0, 1, 2, 3, 4, 5].reduce<Exchange[]>(
    (kept, n) => withExchange(kept, exchange(n, '😀'.repeat(10_000))),
    [],
  );
  expect(idsOf(long)).toEqual(['3', '4', '5']);
  expect(long[0]?.content).toMatch(/^(?:😀)+…$/u);
});
