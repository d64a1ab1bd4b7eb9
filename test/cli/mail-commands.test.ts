import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRoom } from '../../src/index.ts';
import { createCliRoom, type CliRoom } from './cli-room.ts';

interface Shown {
  readonly id: string;
  readonly content: string;
  readonly state?: string;
}

let room: CliRoom;
beforeAll(async () => {
  room = await createCliRoom({ agents: ['alice', 'bob', 'carol', 'dave', 'erin', 'fay', 'gus', 'hal'] });
});
afterAll(() => room[Symbol.dispose]());

/** Sends and returns the whole id. */
async function send(to: string, content: string, ...options: string[]): Promise<string> {
  return ((await room.json(['send', to, 'INFO', content, ...options], { as: 'alice' })) as { id: string }).id;
}

async function listed(as: string): Promise<Shown[]> {
  return (await room.json(['inbox'], { as })) as Shown[];
}

describe('send', () => {
  it('tells programs the id and the outcome at each recipient', async () => {
    const sent = await room.json(['send', 'bob', 'INFO', 'hello'], { as: 'alice' });
    expect(sent).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), outcomes: { bob: { outcome: 'delivered' } } });
  });

  it('delivers a repeated id once, and refuses other content under it', async () => {
    const id = await send('hal', 'once');
    expect(await room.json(['send', 'hal', 'INFO', 'once', '--id', id], { as: 'alice' })).toEqual({
      id,
      outcomes: { hal: { outcome: 'delivered' } },
    });
    expect(await listed('hal')).toHaveLength(1);
    const other = await room.run(['send', 'hal', 'INFO', 'twice', '--id', id], { as: 'alice' });
    expect(other.code).toBe(6);
    expect(other.stderr).toContain(`already has another message with the id ${id}`);
  });

  it('carries every field to the reader', async () => {
    const first = await send('carol', 'first');
    const options = ['--data', '{"lines":[1,2]}', '--thread', 't-1', '--needs-ack', '--expires', '10m'];
    await send('carol', 'second', ...options, '--durability', 'process', '--reply-to', first);
    const [, second] = await listed('carol');
    expect(second).toMatchObject({
      verified: true,
      from: 'alice',
      to: ['carol'],
      type: 'INFO',
      content: 'second',
      data: { lines: [1, 2] },
      threadId: 't-1',
      needsAck: true,
      replyTo: first,
      state: 'delivered',
      attempt: 0,
    });
    expect(Date.parse((second as unknown as { expiresAt: string }).expiresAt)).toBeGreaterThan(Date.now());
    const text = await room.run(['read'], { as: 'carol' });
    expect(text.stdout).toMatch(
      /From alice {2}INFO {2}\d+s ago {2}id [0-9a-f]{8} {2}answers [0-9a-f]{8} {2}thread t-1 {2}wants an acknowledgement {2}expires in \dm\nData \{"lines":\[1,2\]\}\n {2}second\n\n$/,
    );
  });
});

describe('inbox, read, ack, release and renew', () => {
  it('claim nothing, hold, give back, hold longer and acknowledge, each from a process of its own', async () => {
    const one = await send('dave', 'one');
    const two = await send('dave', 'two');
    expect(await listed('dave')).toMatchObject([
      { id: one, content: 'one', verified: true, state: 'delivered' },
      { id: two, content: 'two', verified: true, state: 'delivered' },
    ]);
    const held = await room.json(['read', '--hold', '--limit', '1', '--lease', '1m'], { as: 'dave' });
    expect(held).toMatchObject([{ id: one, verified: true, attempt: 1 }]);
    expect((await listed('dave')).map(({ state }) => state)).toEqual(['claimed', 'delivered']);

    const renewed = await room.run(['renew', one.slice(-8), '--lease', '2h'], { as: 'dave' });
    expect(renewed.stdout).toMatch(new RegExp(`^claimed {2}${one.slice(-8)} {2}until `));
    const inbox = await room.run(['inbox'], { as: 'dave' });
    expect(inbox.stdout.split('\n')[0]).toMatch(/claimed, 1h left {2}alice {2}INFO {2}one$/);

    // Reading once more what is held shows it and does not acknowledge it.
    expect((await room.run(['read', one.slice(-8)], { as: 'dave' })).stdout).toContain('  one\n');
    expect((await listed('dave'))[0]?.state).toBe('claimed');

    expect(await room.run(['release', one.slice(-8)], { as: 'dave' })).toMatchObject({
      code: 0,
      stdout: `released  ${one.slice(-8)}\n`,
    });
    expect((await listed('dave')).map(({ state }) => state)).toEqual(['released', 'delivered']);
    expect((await room.run(['release', two], { as: 'dave' })).code).toBe(6);

    expect(await room.json(['ack', one.slice(-8), two], { as: 'dave' })).toEqual([
      { id: one, state: 'acknowledged' },
      { id: two, state: 'acknowledged' },
    ]);
    expect(await room.run(['ack', one], { as: 'dave' })).toMatchObject({ code: 0 });
    expect(await listed('dave')).toEqual([]);
    expect((await room.run(['read', one], { as: 'dave' })).stdout).toContain('  one\n');
    expect((await room.run(['renew', one], { as: 'dave' })).code).toBe(6);
  });

  it('print at most 20, oldest first, and say that there is more', async () => {
    const contents = Array.from({ length: 23 }, (_, n) => `number ${n}`);
    await using opened = await openRoom({ directory: room.room, durability: 'process' });
    for (const content of contents) await opened.agent('alice').send({ to: 'erin', type: 'INFO', content });
    const limited = await room.run(['inbox', '--limit', '5'], { as: 'erin' });
    expect(limited.stdout.split('\n')).toHaveLength(6);
    expect(limited.stderr).toContain('18 more. See them with: mailroom inbox --limit 23');
    const first = await room.run(['read'], { as: 'erin' });
    expect([...first.stdout.matchAll(/^ {2}(number \d+)$/gm)].map((match) => match[1])).toEqual(contents.slice(0, 20));
    expect(first.stderr).toContain('mailroom read');
    const rest = (await room.json(['read'], { as: 'erin' })) as Shown[];
    expect(rest.map(({ content }) => content)).toEqual(contents.slice(20));
    expect(await room.json(['read'], { as: 'erin' })).toEqual([]);
    console.log(`${contents.length} messages read in two portions`);
  });

  it('go on with the other ids when one is not there, and fail', async () => {
    const id = await send('fay', 'one');
    const acked = await room.run(['ack', 'ffffffff', id.slice(-8)], { as: 'fay' });
    expect(acked).toMatchObject({ code: 3, stdout: `acknowledged  ${id.slice(-8)}\n` });
    expect(acked.stderr).toContain('no message with an id ending in ffffffff');
  });
});

describe('reply', () => {
  it('answers what waits, what is held and what was acknowledged, in its thread, and acknowledges it', async () => {
    for (const prepare of [[], ['read', '--hold'], ['read']]) {
      const id = await send('gus', 'question');
      if (prepare.length > 0) await room.run(prepare, { as: 'gus' });
      const replied = await room.run(['reply', id.slice(-8), 'INFO', 'answer'], { as: 'gus' });
      expect(replied.code, replied.stderr).toBe(0);
      expect(await room.json(['status', id], { as: 'gus' })).toMatchObject([
        { recipient: 'gus', state: 'acknowledged' },
      ]);
      expect(await room.json(['read'], { as: 'alice' })).toMatchObject([
        { from: 'gus', content: 'answer', replyTo: id, threadId: id },
      ]);
    }
  });

  it('acknowledges nothing when the answer was not sent, and works when it is given again', async () => {
    const id = await send('gus', 'question');
    const failed = await room.run(['reply', id, 'NONSENSE', 'answer'], { as: 'gus' });
    expect(failed.code).toBe(2);
    expect(failed.stderr).toContain(`${id.slice(-8)} stays claimed by you`);
    expect(await room.json(['status', id])).toMatchObject([{ state: 'claimed' }]);
    expect((await room.run(['reply', id, 'INFO', 'answer'], { as: 'gus' })).code).toBe(0);
    expect(await room.json(['status', id])).toMatchObject([{ state: 'acknowledged' }]);
  });
});

describe('reply, given again as it was typed', () => {
  it('says that the answer had arrived, and sends it once', async () => {
    await room.run(['read'], { as: 'alice' });
    const id = await send('gus', 'question');
    const words = ['reply', id.slice(-8), 'INFO', 'answer', '--expires', '10m', '--data', '{"port":8080}'];
    const first = await room.json(words, { as: 'gus' });
    expect(first).toMatchObject({ outcomes: { alice: { outcome: 'delivered' } }, acknowledged: true, again: false });
    const again = await room.run(words, { as: 'gus' });
    expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/^delivered {2}[0-9a-f]{8} {2}to alice\n$/) });
    expect(again.stderr).toBe('This answer had already arrived under the same id; it was not sent twice.\n');
    expect(await room.json(words, { as: 'gus' })).toEqual({ ...(first as object), again: true });
    expect(await room.json(['reply', id, 'INFO', 'another answer'], { as: 'gus' })).toMatchObject({ again: false });
    const contents = ((await room.json(['read'], { as: 'alice' })) as Shown[]).map(({ content }) => content);
    expect(contents).toEqual(['answer', 'another answer']);
  });

  it('fails when the answer arrived and the question was not acknowledged, and acknowledges it the next time', async () => {
    const id = await send('gus', 'question');
    const done = path.join(room.room, 'actors/gus/mailbox/done');
    fs.renameSync(done, `${done}.away`);
    fs.writeFileSync(done, 'in the way of a directory');
    const words = ['reply', id, 'INFO', 'answer'];
    const text = await room.run(words, { as: 'gus' });
    expect(text.code).toBe(1);
    expect(text.stdout).toMatch(/^delivered {2}/);
    expect(text.stderr).toMatch(
      /The answer [0-9a-f]{8} was delivered to alice, but [0-9a-f]{8} was not acknowledged: /,
    );
    const { code, stdout, stderr } = await room.run([...words, '--json'], { as: 'gus' });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ outcomes: { alice: { outcome: 'delivered' } }, acknowledged: false });
    expect(JSON.parse(stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({ error: { code: 'ROOM_REFUSED' } });
    expect(await room.json(['status', id])).toMatchObject([{ state: 'claimed' }]);
    fs.rmSync(done);
    fs.renameSync(`${done}.away`, done);
    expect(await room.json(words, { as: 'gus' })).toMatchObject({ acknowledged: true, again: true });
    expect(await room.json(['status', id])).toMatchObject([{ state: 'acknowledged' }]);
    expect(await room.json(['read'], { as: 'alice' })).toHaveLength(1);
  });

  it('says how to send it anew when nobody knows any more whether it arrived', async () => {
    const id = await send('gus', 'question');
    const words = ['reply', id, 'INFO', 'answer'];
    await room.json(words, { as: 'gus' });
    const purged = path.join(room.room, 'actors/alice/mailbox/purged-through');
    fs.writeFileSync(purged, `${new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)}\n`);
    const again = await room.run(words, { as: 'gus' });
    fs.rmSync(purged);
    expect(again.code).toBe(5);
    expect(again.stderr).toContain(`send it as a new message: mailroom send alice INFO <content> --reply-to ${id}`);
    await room.json(['read'], { as: 'alice' });
  });
});

describe('reply --wait-for', () => {
  it('has acknowledged the question also when nobody reads the answer in time', async () => {
    const id = await send('gus', 'question');
    const words = ['reply', id, 'INFO', 'answer', '--wait-for', 'acked', '--timeout', '50ms'];
    const replied = await room.run(words, { as: 'gus' });
    expect(replied.code).toBe(4);
    expect(replied.stderr).not.toContain('stays claimed');
    expect(await room.json(['status', id])).toMatchObject([{ state: 'acknowledged' }]);
  });
});

describe('status', () => {
  it('has a line for each recipient of a broadcast', async () => {
    const { id } = (await room.json(['broadcast', 'INFO', 'all'], { as: 'alice' })) as { id: string };
    await room.run(['ack', id], { as: 'bob' });
    const { stdout } = await room.run(['status', id.slice(-8)]);
    expect(stdout).toMatch(new RegExp(`^${id.slice(-8)} {2}bob {4}acknowledged$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^${id.slice(-8)} {2}carol {2}delivered$`, 'm'));
    expect(stdout.trimEnd().split('\n')).toHaveLength(7);
  });
});
