import fs from 'node:fs';
import { expect, test } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import { openRoom, RateLimitExceeded, type Agent, type Mail } from '../../src/index.ts';
import { shortWriteAt } from '../faults/faulty-files.ts';
import { createSteppedClock } from '../hostile/stepped-clock.ts';
import { openZoo } from '../hostile/zoo-room.ts';
import { linesOf, openLogRoom } from './log-room.ts';

interface Parsed {
  readonly time: string;
  readonly event: string;
  readonly content?: string;
}

const parse = (line: string): Parsed => JSON.parse(line) as Parsed;

async function nextMail(agent: Agent): Promise<Mail> {
  for await (const mail of agent.inbox({ wait: false })) return mail;
  throw new Error('there is no mail');
}

test('each event of a message is one record, in order', async () => {
  const clock = createSteppedClock();
  await using zoo = await openZoo({ host: { ...nodeHost, clock } });
  const { alice, bob, room } = zoo;
  const { id } = await alice.send({ to: 'bob', type: 'INFO', content: 'one' });
  const held = await nextMail(bob);
  await held.renew();
  await held.release();
  await (await nextMail(bob)).ack();
  await alice.broadcast({ type: 'INFO', content: 'two' });
  await (await nextMail(bob)).reject('not wanted');
  await alice.send({ to: 'bob', type: 'INFO', content: 'three', expiresInMs: 1_000 });
  clock.advance(1_001);
  fs.writeFileSync(`${zoo.mailbox.new}/stranger`, 'x');
  fs.writeFileSync(`${zoo.mailbox.tmp}/abandoned`, 'x');
  fs.utimesSync(`${zoo.mailbox.tmp}/abandoned`, 1, 1);
  await expect(nextMail(bob)).rejects.toThrow('no mail');
  await expect(alice.send({ to: 'nobody', type: 'INFO', content: 'x' })).rejects.toMatchObject({
    code: 'ACTOR_NOT_FOUND',
  });
  await bob.purge();
  await bob.leave();
  await room.close();

  const records = linesOf(`${zoo.directory}/log/agent_messages.log`).map(parse);
  const events = records.map(({ event }) => event).join(' ');
  expect(events).toBe(
    'initialised joined joined sent claimed renewed released claimed acknowledged ' +
      'sent claimed dead sent swept refused dead sent purged left',
  );
  const at = (index: number): Parsed | undefined => records[index];
  expect(at(3)).toMatchObject({ id, from: 'alice', to: ['bob'], type: 'INFO', outcome: 'delivered', content: 'one' });
  expect(at(7)).toMatchObject({ id, detail: 'attempt 2' });
  expect(at(9)).toMatchObject({ to: ['all'], outcome: 'delivered' });
  expect(at(11)).toMatchObject({ outcome: 'rejected', detail: 'not wanted' });
  expect(at(14)).toMatchObject({ outcome: 'bad-name', to: 'bob' });
  expect(at(15)).toMatchObject({ outcome: 'expired', content: 'three' });
  expect(at(16)).toMatchObject({ to: 'nobody', outcome: 'failed' });
  expect(records.every(({ time }) => new Date(time).toISOString() === time)).toBe(true);
  console.log(`${records.length} records of ${new Set(records.map(({ event }) => event)).size} kinds`);
});

test('a message refused by the rate limit is one record too', async () => {
  await using zoo = await openZoo();
  const config = `${zoo.directory}/room.json`;
  const text = fs.readFileSync(config, 'utf8').replace(/"rateLimit": \d+/, '"rateLimit": 2');
  fs.writeFileSync(config, text);
  await using room = await openRoom({ directory: zoo.directory });
  const send = (): Promise<unknown> => room.agent('alice').send({ to: 'bob', type: 'INFO', content: 'x' });
  await send();
  await send();
  await expect(send()).rejects.toThrow(RateLimitExceeded);
  const events = linesOf(`${zoo.directory}/log/agent_messages.log`).map((line) => parse(line).event);
  expect(events.slice(-3)).toEqual(['sent', 'sent', 'rate-limited']);
});

test('content is cut to its first 200 characters, never within a character', async () => {
  using room = await openLogRoom();
  const log = room.open();
  const contents = [
    'a'.repeat(200),
    'b'.repeat(201),
    'c'.repeat(1_000_000),
    `${'d'.repeat(199)}😀`,
    '',
    '😀'.repeat(100),
  ];
  for (const content of contents) log.append({ event: 'sent', content });
  log.close();
  expect(room.lines().map((line) => parse(line).content)).toEqual([
    contents[0],
    `${'b'.repeat(200)}…`,
    `${'c'.repeat(200)}…`,
    `${'d'.repeat(199)}…`,
    '',
    contents[5],
  ]);
});

test('a record that was cut off anywhere spoils only itself: the next one begins on a line of its own', async () => {
  using room = await openLogRoom();
  const whole = `${JSON.stringify({ time: 'x', event: 'sent', content: 'ü'.repeat(20) })}\n`;
  const bytes = Buffer.from(whole);
  for (let length = 0; length <= bytes.length; length++) {
    fs.writeFileSync(room.layout.log, Buffer.concat([bytes, bytes.subarray(0, length)]));
    const log = room.open();
    log.append({ event: 'joined' });
    log.append({ event: 'left' });
    log.close();
    const lines = room.lines();
    expect(lines.slice(-2).map((line) => parse(line).event)).toEqual(['joined', 'left']);
    expect(`${lines[0]}\n`).toBe(whole);
    expect(lines).toHaveLength(length === 0 ? 3 : 4);
  }
  console.log(`cut off after each of ${bytes.length} bytes`);
});

test('a short write spoils only its own record, also for the process that made it', async () => {
  using room = await openLogRoom();
  let fired = 0;
  for (let n = 1; n <= 12; n++) {
    fs.rmSync(room.layout.log, { force: true });
    const faulty = shortWriteAt(nodeHost.files, { n, bytes: 7 });
    const log = room.open({ host: { files: faulty.files } });
    for (const detail of ['0', '1', '2', '3']) log.append({ event: 'warning', detail });
    log.close();
    const whole = room.lines().filter((line) => line.endsWith('}'));
    expect(whole.map(parse)).toHaveLength(faulty.fired ? 3 : 4);
    fired += Number(faulty.fired);
  }
  expect(fired).toBe(4);
});
