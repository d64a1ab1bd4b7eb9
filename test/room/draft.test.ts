import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { initRoom, openRoom, type Agent, type Room } from '../../src/index.ts';

let directory: string;
let room: Room;
let alice: Agent;
beforeAll(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-draft-'));
  await initRoom({ cwd: directory, limits: { rateLimit: 1 } });
  room = await openRoom({ cwd: directory });
  alice = await room.join('alice');
  await room.join('bob');
});
afterAll(async () => {
  await room.close();
  fs.rmSync(directory, { recursive: true, force: true });
});

test('a message that can never be sent is refused before it is charged', async () => {
  const draft = { to: 'bob', type: 'INFO', content: 'hello' };
  const wrong = [
    ...[0, -1, 1.5, Number.NaN, 8.64e15, 366 * 86_400_000].map((expiresInMs) => ({ ...draft, expiresInMs })),
    { ...draft, type: 'INFOO' },
    { ...draft, id: 'latest' },
    { ...draft, id: 'ffffffff-ffff-7fff-bfff-ffffffffffff' },
    { ...draft, replyTo: 'x' },
    { ...draft, threadId: '' },
    { ...draft, to: '../bob' },
  ];
  for (const one of wrong) await expect(alice.send(one)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  // One message a minute is allowed, and this is the first to count.
  await alice.send({ ...draft, expiresInMs: 1000 });
  await expect(alice.send(draft)).rejects.toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
  console.log(`${wrong.length} drafts refused`);
});
