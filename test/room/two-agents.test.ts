import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ActorNotFound, initRoom, LeaseLost, openRoom, type Mail } from '../../src/index.ts';

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

test.each(['hmac-sha256', 'ed25519'] as const)(
  'two agents exchange a question and its reply, signed with %s',
  async (algorithm) => {
    await initRoom({ cwd: directory, algorithm });
    await using room = await openRoom({ cwd: directory });
    const alice = await room.join('alice');
    const bob = await room.join('bob');
    const { id } = await alice.send({ to: 'bob', type: 'QUESTION', content: 'Which port?', data: { service: 'api' } });
    expect(room.status(id).map(({ state }) => state)).toEqual(['delivered']);

    const received = [];
    for await (const mail of bob.inbox({ wait: false })) {
      received.push(mail.message);
      expect(room.status(id.slice(-8)).map(({ state }) => state)).toEqual(['claimed']);
      await bob.reply(mail, { type: 'INFO', content: '8080' });
      await mail.ack();
    }
    expect(received).toMatchObject([
      { id, from: 'alice', to: ['bob'], type: 'QUESTION', content: 'Which port?', data: { service: 'api' } },
    ]);
    expect(room.status(id).map(({ state }) => state)).toEqual(['acknowledged']);

    const answers = [];
    for await (const mail of alice.inbox({ wait: false })) {
      answers.push(mail.message);
      await mail.ack();
      await mail.ack();
    }
    expect(answers).toMatchObject([{ from: 'bob', replyTo: id, threadId: id, content: '8080' }]);
  },
);

test('a message sent again with its id is delivered once, wherever it is by then', async () => {
  await initRoom({ cwd: directory });
  await using room = await openRoom({ cwd: directory });
  const alice = await room.join('alice');
  const bob = await room.join('bob');
  const draft = { to: 'bob', type: 'INFO', content: 'once' };
  const { id } = await alice.send(draft);
  await alice.send({ ...draft, id });
  let seen = 0;
  for await (const mail of bob.inbox({ wait: false })) {
    seen += 1;
    await alice.send({ ...draft, id });
    await mail.ack();
    await alice.send({ ...draft, id });
  }
  expect(seen).toBe(1);
  await expect(alice.send({ ...draft, id, content: 'other' })).rejects.toMatchObject({ code: 'CONFLICT' });
});

test('a broadcast reaches everyone but its sender, and an unknown name gets a suggestion', async () => {
  await initRoom({ cwd: directory });
  await using room = await openRoom({ cwd: directory });
  const a = await room.join('agent-1');
  const b = await room.join('agent-2');
  const c = await room.join('agent-3');
  const { outcomes } = await a.broadcast({ type: 'INFO', content: 'hello' });
  expect(Object.keys(outcomes)).toEqual(['agent-2', 'agent-3']);
  for (const reader of [b, c]) {
    const contents = [];
    for await (const mail of reader.inbox({ wait: false })) contents.push(mail.message.content);
    expect(contents).toEqual(['hello']);
  }
  await expect(a.send({ to: 'agent-22', type: 'INFO', content: '' })).rejects.toThrow(ActorNotFound);
  await expect(a.send({ to: 'agent-22', type: 'INFO', content: '' })).rejects.toMatchObject({ nearest: 'agent-2' });
});

test('an expired claim is taken over, and its first holder can no longer acknowledge it', async () => {
  await initRoom({ cwd: directory });
  await using room = await openRoom({ cwd: directory });
  const alice = await room.join('alice');
  const bob = await room.join('bob');
  await alice.send({ to: 'bob', type: 'INFO', content: 'x' });
  const held = await firstOf(bob.inbox({ wait: false, leaseMs: 1 }));
  while (Date.now() <= held.leaseEndsAtMs) await new Promise((resolve) => setTimeout(resolve, 2));
  const taken = await firstOf(bob.inbox({ wait: false }));
  expect(taken.attempt).toBe(2);
  await expect(held.ack()).rejects.toThrow(LeaseLost);
  await taken.ack();
});

async function firstOf(inbox: AsyncIterable<Mail>): Promise<Mail> {
  for await (const mail of inbox) return mail;
  throw new Error('The inbox was empty.');
}
