import fs from 'node:fs';
import { expect, it } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import { openRoom } from '../../src/index.ts';
import { formatTime } from '../../src/message/format-time.ts';
import { createCliRoom } from './cli-room.ts';

const DAY_MS = 86_400_000;

// All of it was refused for good by the first command that read, and nothing but the list of dead letters told of it.
it('shows mail of a time to come in inbox, status and doctor, counts it nowhere as unread, and reads none of it', async () => {
  using room = await createCliRoom();
  const ahead = { ...nodeHost, clock: { ...nodeHost.clock, now: () => Date.now() + 10 * DAY_MS } };
  await using opened = await openRoom({ cwd: room.directory, host: ahead });
  const { id, message } = await opened.agent('alice').send({ to: 'bob', type: 'INFO', content: 'secret' });
  const readableFrom = new Date(Date.parse(message.sentAt) - DAY_MS).toISOString();
  const shownFrom = formatTime(Date.parse(readableFrom));
  const as = { as: 'bob' };

  const listed = await room.run(['inbox'], as);
  expect(listed.stdout).toMatch(new RegExp(`^${id.slice(-8)}  -  waits until ${shownFrom}  alice\n$`));
  expect(listed.stderr).toContain('date -u');
  expect(await room.json(['inbox'], as)).toEqual([
    { id, from: 'alice', sentAt: message.sentAt, state: 'early', readableFrom },
  ]);
  expect((await room.run(['status', id.slice(-8)])).stdout).toContain(`waits until ${shownFrom}`);
  expect(await room.json(['status', id])).toMatchObject([{ state: 'delivered', readableFrom }]);
  const agents = (await room.json(['agents'])) as { address: string; waiting: number }[];
  expect(agents.find(({ address }) => address === 'bob')).toMatchObject({ waiting: 0 });
  const findings = JSON.parse((await room.run(['doctor', '--json'])).stdout) as { check: string }[];
  expect(findings.filter(({ check }) => check === 'clock')).toMatchObject([
    { level: 'wrong', text: expect.stringMatching(`1 messages of bob .* from alice, until ${shownFrom}`) },
  ]);

  expect((await room.run(['read'], as)).stdout).toBe('');
  expect((await room.run(['read', '--wait', '100ms'], as)).code).toBe(4);
  const read = await room.run(['read', id.slice(-8)], as);
  expect([read.code, read.stdout]).toEqual([5, '']);
  expect(read.stderr).toContain(`mailroom ack ${id.slice(-8)}`);
  const repeated = await room.run(['send', 'bob', 'INFO', 'secret', '--id', id], { as: 'alice' });
  expect([repeated.code, repeated.stdout]).toEqual([5, '']);
  expect(repeated.stderr).toContain('with the same id');
  expect(fs.readdirSync(`${room.room}/actors/bob/mailbox/new`)).toEqual([`${id}.alice.json`]);

  expect((await room.run(['ack', id.slice(-8)], as)).code).toBe(0);
  expect(await room.json(['inbox'], as)).toEqual([]);
});
