import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import { openRoom, type Room } from '../../src/index.ts';
import type { Message } from '../../src/message/message.ts';
import { contextOf } from '../../src/room/room.ts';
import { createSteppedClock, type SteppedClock } from '../hostile/stepped-clock.ts';
import { openZoo, readAll, type ZooRoom } from '../hostile/zoo-room.ts';

// Root cause: a reply that was killed after its link and retried as it was typed used to arrive twice: each attempt had
// an id of its own.

let clock: SteppedClock;
let zoo: ZooRoom;
/** The same room, opened as if by another process of the same agents. */
let other: Room;
beforeEach(async () => {
  clock = createSteppedClock();
  zoo = await openZoo({ host: { ...nodeHost, clock } });
  other = await openRoom({ directory: zoo.directory, host: { ...nodeHost, clock } });
});
afterEach(async () => {
  await other.close();
  await zoo[Symbol.asyncDispose]();
});

const INFO = { type: 'INFO', content: 'Port 8080.' } as const;

async function ask(): Promise<Message> {
  return (await zoo.alice.send({ to: 'bob', type: 'QUESTION', content: 'which port?' })).message;
}

/** Bob's records, by their paths below `replies`. */
function records(): string[] {
  const { replies } = zoo.mailbox;
  if (!fs.existsSync(replies)) return [];
  return fs.readdirSync(replies, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
}

const recordPath = (): string => path.join(zoo.mailbox.replies, records()[0] ?? '');

describe('a reply', () => {
  it('that another process retries is the same message, and arrives once', async () => {
    const question = await ask();
    const first = await zoo.bob.reply(question, INFO);
    clock.advance(60_000);
    const again = await other.agent('bob').reply(question, INFO);
    expect(again.id).toBe(first.id);
    expect(again.outcomes).toEqual({ alice: { outcome: 'delivered', again: true } });
    expect(await readAll(zoo.alice)).toMatchObject([{ id: first.id, content: 'Port 8080.', replyTo: question.id }]);
    expect((await other.agent('bob').reply(question, INFO)).outcomes).toMatchObject({ alice: { again: true } });
    expect(await readAll(zoo.alice)).toEqual([]);
  });

  it('that differs in any part is another reply', async () => {
    const question = await ask();
    const drafts = [
      INFO,
      { ...INFO, content: 'Port 8081.' },
      { ...INFO, type: 'COMPLETED' },
      { ...INFO, data: { port: 8080 } },
      { ...INFO, data: null },
      { ...INFO, needsAck: true },
      { ...INFO, expiresInMs: 600_000 },
      { ...INFO, expiresInMs: 600_001 },
    ];
    const ids = new Set<string>();
    for (const draft of drafts) ids.add((await zoo.bob.reply(question, draft)).id);
    for (const draft of drafts) ids.add((await zoo.bob.reply(question, draft)).id);
    expect(ids.size).toBe(drafts.length);
    expect(await readAll(zoo.alice)).toHaveLength(drafts.length);
    expect(records()).toHaveLength(drafts.length);
  });

  it('is one reply if two processes send it at once', async () => {
    const question = await ask();
    const sent = await Promise.all([zoo.bob, other.agent('bob')].map((bob) => bob.reply(question, INFO)));
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1);
    expect(await readAll(zoo.alice)).toHaveLength(1);
  });

  it('expires counted from the first attempt, and says so if that attempt reached nobody', async () => {
    const question = await ask();
    const draft = { ...INFO, expiresInMs: 60_000 };
    const first = await zoo.bob.reply(question, draft);
    clock.advance(59_000);
    expect((await zoo.bob.reply(question, draft)).id).toBe(first.id);
    clock.advance(2_000);
    // It has arrived: that it has expired since changes nothing.
    expect((await zoo.bob.reply(question, draft)).outcomes).toMatchObject({ alice: { again: true } });
    for (const name of fs.readdirSync(path.join(zoo.directory, 'actors/alice/mailbox/new')))
      fs.rmSync(path.join(zoo.directory, 'actors/alice/mailbox/new', name));
    await expect(zoo.bob.reply(question, draft)).rejects.toMatchObject({ code: 'MESSAGE_REFUSED', reason: 'expired' });
    expect((await zoo.bob.reply(question, { ...INFO, expiresInMs: 61_000 })).id).not.toBe(first.id);
  });

  it('is sent under its own id if it names one', async () => {
    const question = await ask();
    const { id } = await zoo.bob.reply(question, INFO);
    expect((await zoo.bob.reply(question, { ...INFO, id })).outcomes).toMatchObject({ alice: { again: true } });
    expect(records()).toHaveLength(1);
  });
});

describe('the record of a reply', () => {
  it('is signed, and is not a message for anyone', async () => {
    const question = await ask();
    const { id } = await zoo.bob.reply(question, INFO);
    const day = new Date(Number.parseInt(question.id.replace('-', '').slice(0, 12), 16)).toISOString().slice(0, 10);
    expect(records()).toEqual([
      expect.stringMatching(new RegExp(`^${day}/${question.id}\\.alice\\.json\\.[0-9a-f]{64}\\.json$`)),
    ]);
    const text = fs.readFileSync(recordPath(), 'utf8');
    expect(JSON.parse(text)).toMatchObject({
      signed: { v: 1, record: 'reply', id, to: 'alice', replyTo: question.id },
    });
    fs.writeFileSync(path.join(zoo.directory, `actors/alice/mailbox/new/${id.slice(0, -4)}0000.bob.json`), text);
    await readAll(zoo.alice);
    expect(fs.readdirSync(path.join(zoo.directory, 'actors/alice/mailbox/dead/refused'))).toHaveLength(2);
  });

  it.each([
    ['nothing', () => ''],
    ['half of it', (text: string) => text.slice(0, text.length / 2)],
    ['another id', (text: string) => text.replace(/"id":"......../, '"id":"00000000')],
    ['somebody else’s', (_: string, stranger: string) => stranger],
  ])('that holds %s is put aside with its reason, and the reply is sent', async (_what, damage) => {
    const question = await ask();
    await zoo.bob.reply(question, INFO);
    await readAll(zoo.alice);
    const whole = fs.readFileSync(recordPath(), 'utf8');
    // A record that alice signed about a reply of her own.
    const mine = await zoo.bob.send({ to: 'alice', type: 'QUESTION', content: 'and yours?' });
    await zoo.alice.reply(mine.message, INFO);
    const [hers = ''] = fs
      .readdirSync(path.join(zoo.directory, 'actors/alice/mailbox/replies'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.json'));
    const stranger = fs.readFileSync(path.join(zoo.directory, 'actors/alice/mailbox/replies', hers), 'utf8');
    fs.writeFileSync(recordPath(), damage(whole, stranger));
    const report = await zoo.bob.reply(question, INFO);
    expect(report.outcomes).toEqual({ alice: { outcome: 'delivered', again: false } });
    const refused = fs.readdirSync(zoo.mailbox.refused);
    const [why = ''] = refused.filter((name) => name.endsWith('.why.json'));
    expect(refused).toHaveLength(2);
    expect(JSON.parse(fs.readFileSync(path.join(zoo.mailbox.refused, why), 'utf8'))).toMatchObject({
      reason: 'bad-signature',
    });
    expect((await zoo.bob.reply(question, INFO)).id).toBe(report.id);
  });

  it('of a newer version is left alone', async () => {
    const question = await ask();
    await zoo.bob.reply(question, INFO);
    const { keyring } = contextOf(zoo.room);
    const signed = JSON.stringify({ v: 2 });
    const signature = JSON.stringify(keyring.signerOf('bob').sign(Buffer.from(signed)));
    fs.writeFileSync(recordPath(), `{"signed":${signed},"signature":${signature}}`);
    await expect(zoo.bob.reply(question, INFO)).rejects.toThrow(/has version 2; this Mailroom knows 1/);
    expect(records()).toHaveLength(1);
  });
});
