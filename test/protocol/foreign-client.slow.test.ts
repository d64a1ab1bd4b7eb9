import fs from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { retryDead } from '../../src/mailbox/dead.ts';
import type { Mailbox } from '../../src/mailbox/mailbox.ts';
import { MESSAGE_BYTES_CEILING } from '../../src/message/message.ts';
import { mailboxOf } from '../../src/room/context.ts';
import { contextOf } from '../../src/room/room.ts';
import { sealMessage } from '../../src/signing/seal.ts';
import { isPythonThere, startPythonClient, type PythonClient } from './python-client.ts';
import { codeOf, createSharedRoom, takeAll, type PythonMail, type SharedRoom } from './shared-room.ts';
import { layOutKeys, readVectors } from './vectors.ts';

/** The two clients; each can do everything to bob's mailbox that the other can. */
const CLIENTS = ['library', 'python'] as const;
type Client = (typeof CLIENTS)[number];
const otherOf = (client: Client): Client => (client === 'library' ? 'python' : 'library');

describe.skipIf(!isPythonThere())('the library and the client in Python in one room', () => {
  let python: PythonClient;
  beforeAll(() => {
    python = startPythonClient();
  });
  let shared: SharedRoom;
  beforeEach(async () => {
    shared = await createSharedRoom(python, { limits: { newMessagesMax: 100 } });
    await shared.room.join('alice');
    await shared.ask('bob', 'join');
  });
  afterEach(() => shared[Symbol.asyncDispose]());
  afterAll(() => python.close());

  const send = async (client: Client, draft: { content: string; id?: string }): Promise<string> =>
    client === 'library'
      ? (await shared.room.agent('alice').send({ to: 'bob', type: 'INFO', ...draft })).id
      : shared.ask<string>('alice', 'send', { draft: { to: 'bob', type: 'INFO', durable: false, ...draft } });

  /** Claims all of bob's mail with one client, and returns each message with the operations on it. */
  const read = async (client: Client, leaseMs = 60_000) => {
    if (client === 'library') {
      return (await takeAll(shared.room, 'bob', leaseMs)).map((mail) => ({
        message: mail.message,
        attempt: mail.attempt,
        acknowledge: () => mail.ack(),
        release: () => mail.release(),
        renew: (ms: number) => mail.renew(ms),
        reject: (detail: string) => mail.reject(detail),
      }));
    }
    const found = await shared.ask<PythonMail[]>('bob', 'drain', { leaseMs });
    return found.map(({ message, attempt }) => {
      const on = (op: string, more = {}): Promise<unknown> => shared.ask('bob', op, { id: message.id, ...more });
      return {
        message,
        attempt,
        acknowledge: () => on('acknowledge'),
        release: () => on('release'),
        renew: (ms: number) => on('renew', { leaseMs: ms }),
        reject: (detail: string) => on('reject', { detail }),
      };
    });
  };

  test.each(CLIENTS)('what the %s sends, both read whole, and the status is the same to both', async (sender) => {
    const content = 'Größe: 世界 🙂 "quoted" \\ \u2028 \u0007,"signature":';
    for (const reader of CLIENTS) {
      const id = await send(sender, { content });
      expect(shared.where('bob')).toContain(`new/${id}.alice.json`);
      const [mail] = await read(reader);
      expect(mail?.message).toMatchObject({ id, from: 'alice', to: ['bob'], type: 'INFO', content });
      expect(shared.room.status(id)).toMatchObject([{ state: 'claimed', attempt: 1 }]);
      await mail?.acknowledge();
      expect(shared.room.status(id)).toMatchObject([{ state: 'acknowledged' }]);
    }
  });

  test('every field passes from each to the other', async () => {
    const data = { files: ['a.ts'], lines: 3, deep: [{ signature: null }], ok: true };
    const { id } = await shared.room.agent('alice').send({
      to: 'bob',
      type: 'QUESTION',
      content: '',
      data,
      threadId: 'thread',
      needsAck: true,
      expiresInMs: 60_000,
    });
    const [received] = await shared.ask<PythonMail[]>('bob', 'drain');
    const expiresAt = new Date(Date.parse(received?.message.sentAt ?? '') + 60_000).toISOString();
    expect(received?.message).toMatchObject({ id, data, threadId: 'thread', needsAck: true, expiresAt });
    const more = { data, thread_id: 'thread', reply_to: id, needs_ack: false, expires_in_ms: 60_000 };
    await shared.ask('bob', 'send', { draft: { to: 'alice', type: 'INFO', content: '', ...more } });
    const [answer] = await takeAll(shared.room, 'alice');
    expect(answer?.message).toMatchObject({ from: 'bob', data, threadId: 'thread', replyTo: id, needsAck: false });
  });

  test('a broadcast from either reaches everyone else, of either kind', async () => {
    await shared.ask('carol', 'join');
    await shared.room.join('dave');
    await shared.room.agent('dave').leave();
    const sent = await shared.room.agent('alice').broadcast({ type: 'INFO', content: 'from the library' });
    expect(Object.keys(sent.outcomes)).toEqual(['bob', 'carol']);
    const draft = { type: 'INFO', content: 'from Python', durable: false };
    const answered = await shared.ask<{ outcomes: object }>('bob', 'broadcast', { draft });
    expect(answered.outcomes).toEqual({ alice: 'delivered', carol: 'delivered' });
    const carols = await shared.ask<PythonMail[]>('carol', 'drain');
    expect(carols.map(({ message }) => message.content)).toEqual(['from the library', 'from Python']);
    expect((await takeAll(shared.room, 'alice')).map(({ message }) => message.content)).toEqual(['from Python']);
    const inode = (address: string): number =>
      fs.statSync(shared.mailbox(address, 'cur', fs.readdirSync(shared.mailbox(address, 'cur'))[0] ?? '')).ino;
    expect(inode('alice')).not.toBe(inode('bob'));
  });

  test.each(CLIENTS)(
    'a retry by the other, after the %s sent, is delivered once, wherever the message is',
    async (first) => {
      const second = otherOf(first);
      const id = await send(first, { content: 'once' });
      expect(await send(second, { content: 'once', id })).toBe(id);
      const [mail] = await read(second);
      await send(second, { content: 'once', id });
      await send(first, { content: 'once', id });
      await mail?.acknowledge();
      await send(second, { content: 'once', id });
      expect(await codeOf(() => send(second, { content: 'other', id }))).toBe('CONFLICT');
      expect(await codeOf(() => send(first, { content: 'other', id }))).toBe('CONFLICT');
      expect(shared.where('bob')).toEqual([`done/${id}.alice.json`]);
    },
  );

  test.each(CLIENTS)(
    'a copy that appears after the %s claimed or acknowledged is dropped by the other',
    async (first) => {
      const second = otherOf(first);
      const id = await send('library', { content: 'twice' });
      const name = `${id}.alice.json`;
      const copy = fs.readFileSync(shared.mailbox('bob', 'new', name));
      const [mail] = await read(first);
      fs.writeFileSync(shared.mailbox('bob', 'new', name), copy);
      expect(await read(second, 120_000)).toEqual([]);
      expect(shared.where('bob')).toEqual([`cur/${name}`]);
      await mail?.acknowledge();
      fs.writeFileSync(shared.mailbox('bob', 'new', name), copy);
      expect(await read(second)).toEqual([]);
      expect(shared.where('bob')).toEqual([`done/${name}`]);
    },
  );

  test.each(CLIENTS)('another message under an id that the %s has dealt with is kept as refused', async (first) => {
    const id = await send('library', { content: 'the first' });
    const [mail] = await read(first);
    await mail?.acknowledge();
    const { keyring, config } = contextOf(shared.room);
    const message = { ...mail?.message, content: 'the second' } as Parameters<typeof sealMessage>[0];
    const sealed = sealMessage(message, { key: keyring.signerOf('alice'), limits: config.limits });
    fs.writeFileSync(shared.mailbox('bob', 'new', sealed.name), sealed.bytes);
    expect(await read(otherOf(first))).toEqual([]);
    expect(reasons(shared, 'dead/refused')).toEqual(['duplicate-differs']);
    expect(shared.where('bob')).toContain(`done/${id}.alice.json`);
  });

  test.each(CLIENTS)(
    'a claim of the %s is taken over by the other, which alone can then acknowledge it',
    async (first) => {
      const id = await send('library', { content: 'x' });
      const start = Date.now();
      await shared.setClock(start);
      const [held] = await read(first, 1_000);
      await held?.renew(5_000);
      await shared.setClock(start + 4_000);
      expect(await read(otherOf(first))).toEqual([]);
      await shared.setClock(start + 5_000);
      const [taken] = await read(otherOf(first));
      expect(taken).toMatchObject({ attempt: 2, message: { id } });
      for (const verb of ['acknowledge', 'release'] as const) {
        expect(await codeOf(async () => held?.[verb]())).toBe('LEASE_LOST');
      }
      expect(await codeOf(async () => held?.renew(1_000))).toBe('LEASE_LOST');
      expect(await codeOf(async () => held?.reject('no'))).toBe('LEASE_LOST');
      await taken?.release();
      const [again] = await read(first);
      expect(again).toMatchObject({ attempt: 3 });
      await again?.acknowledge();
      expect(shared.where('bob')).toEqual([`done/${id}.alice.json`]);
    },
  );

  test.each(CLIENTS)(
    'after five claims the %s gives the message up, and a retried dead letter comes to the other',
    async (last) => {
      const id = await send('library', { content: 'poison' });
      const name = `${id}.alice.json`;
      for (let attempt = 1; attempt <= 5; attempt++) {
        const [mail] = await read(attempt % 2 === 0 ? last : otherOf(last));
        expect(mail?.attempt).toBe(attempt);
        await mail?.release();
      }
      expect(await read(last)).toEqual([]);
      expect(shared.where('bob')).toEqual([`dead/${name}`]);
      expect(reasons(shared, 'dead')).toEqual(['attempts']);
      expect(shared.room.status(id)).toMatchObject([{ state: 'dead', reason: 'attempts' }]);
      if (last === 'library') await shared.ask('bob', 'retry', { name });
      else fs.renameSync(shared.mailbox('bob', 'dead', name), shared.mailbox('bob', 'cur', `${name},0,0`));
      const [back] = await read(otherOf(last));
      expect(back?.attempt).toBe(1);
      await back?.reject('not for me');
      expect(shared.room.status(id)).toMatchObject([{ state: 'dead', reason: 'rejected', detail: 'not for me' }]);
    },
  );

  test.each(CLIENTS)('what has expired is a dead letter to the %s', async (reader) => {
    await shared.setClock(Date.now());
    await shared.room.agent('alice').send({ to: 'bob', type: 'INFO', content: 'late', expiresInMs: 1_000 });
    await shared.setClock(Date.now() + 10_000);
    expect(await read(reader)).toEqual([]);
    expect(reasons(shared, 'dead')).toEqual(['expired']);
  });

  test.each(CLIENTS)('mail of a purged day is refused by the %s, when read and when sent again', async (client) => {
    const id = await send('library', { content: 'old' });
    const today = new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toISOString().slice(0, 10);
    fs.writeFileSync(shared.mailbox('bob', 'purged-through'), `${today}\n`);
    expect(await read(client)).toEqual([]);
    expect(reasons(shared, 'dead/refused')).toEqual(['purged']);
    expect(await codeOf(() => send(client, { content: 'old', id }))).toBe('MESSAGE_REFUSED');
    expect(shared.where('bob').filter((one) => one.startsWith('new/'))).toEqual([]);
  });

  test.each(CLIENTS)(
    'mail from the future stays where it is, and the %s reads it once the clock agrees',
    async (client) => {
      const start = Date.now();
      const [other, name] = [otherOf(client), (id: string) => `${id}.alice.json`];
      const fresh = await send(other, { content: 'fresh' });
      const [claimed] = await read(client, 60_000);
      await claimed?.release();
      const id = await send(other, { content: 'waits' });
      await shared.setClock(start - 30 * 3_600_000);
      expect(await read(client)).toEqual([]);
      expect(shared.where('bob').toSorted()).toEqual([`cur/${name(fresh)}`, `new/${name(id)}`]);
      expect(await codeOf(() => send(client, { content: 'waits', id }))).toBe('MESSAGE_REFUSED');
      await shared.setClock(start);
      expect((await read(client)).map(({ message }) => message.id)).toEqual([fresh, id]);
    },
  );

  test.each(CLIENTS)(
    'a message refused because its key was missing is retried by the %s, and read by the other',
    async (client) => {
      const id = await send('library', { content: 'x' });
      const name = `${id}.alice.json`;
      const letter = '00000000-0000-4000-8000-000000000000';
      const at = shared.mailbox('bob', 'dead', 'refused', letter);
      fs.renameSync(shared.mailbox('bob', 'new', name), at);
      const why = { name, reason: 'unknown-key', detail: 'alice had no key', at: '2026-05-04T03:02:01.000Z' };
      const retry = async (reason: string): Promise<void> => {
        fs.writeFileSync(`${at}.why.json`, JSON.stringify({ ...why, reason }));
        if (client === 'python') await shared.ask('bob', 'retry', { name: letter });
        else retryDead(mailboxOf(contextOf(shared.room), 'bob') as Mailbox, letter);
      };
      expect(await codeOf(() => retry('bad-signature'))).toBe('CONFLICT');
      const purged = shared.mailbox('bob', 'purged-through');
      fs.writeFileSync(purged, '9999-12-31\n');
      expect(await codeOf(() => retry('unknown-key'))).toBe(client === 'python' ? 'MESSAGE_REFUSED' : 'CONFLICT');
      expect(fs.existsSync(at)).toBe(true);
      fs.unlinkSync(purged);
      await retry('unknown-key');
      const copy = fs.readFileSync(shared.mailbox('bob', 'cur', `${name},0,0`));
      fs.writeFileSync(purged, '9999-12-31\n');
      expect(await read(otherOf(client)), 'purged after it was put back').toEqual([]);
      expect(reasons(shared, 'dead/refused')).toEqual(['purged']);
      fs.unlinkSync(purged);
      fs.writeFileSync(shared.mailbox('bob', 'cur', `${name},0,0`), copy);
      expect(await read(otherOf(client))).toMatchObject([{ attempt: 1, message: { id } }]);
    },
  );

  test.each(CLIENTS)(
    'a mailbox is full for a sender of the %s once as many of its messages wait as there are free places',
    async (client) => {
      const lay = (n: number, from: string): string => {
        const file = shared.mailbox(
          'bob',
          'new',
          `019b7d31-5c00-7000-8000-${String(n).padStart(12, '0')}.${from}.json`,
        );
        fs.writeFileSync(file, '');
        return file;
      };
      const own = Array.from({ length: 49 }, (_, n) => lay(n, 'alice'));
      for (const n of [1, 2]) lay(n, 'carol');
      expect(await codeOf(() => send(client, { content: 'one too many' }))).toBe('MAILBOX_FULL');
      fs.unlinkSync(own[0] ?? '');
      await shared.setClock(Date.now() + 1_000);
      expect(await codeOf(() => send(client, { content: 'the last' }))).toBe('ok');
    },
  );

  test('an address in use by one is a conflict for the other, unless it takes it over', async () => {
    expect(await codeOf(() => shared.ask('alice', 'join'))).toBe('CONFLICT');
    expect(await codeOf(() => shared.room.join('bob'))).toBe('CONFLICT');
    await shared.room.join('bob', { takeOver: true });
    expect(await codeOf(() => shared.ask('bob', 'join'))).toBe('CONFLICT');
    await shared.ask('bob', 'join', { takeOver: true });
    await shared.ask('bob', 'leave');
    await shared.room.join('bob');
    expect(shared.room.actors().map(({ card, live }) => [card.address, live])).toEqual([
      ['alice', true],
      ['bob', true],
    ]);
    expect(fs.readdirSync(path.join(shared.directory, 'tmp'))).toEqual([]);
  });

  test.each(CLIENTS)('files that are no messages neither stop nor hang the %s', async (reader) => {
    const at = (name: string): string => shared.mailbox('bob', 'new', name);
    const name = (n: number): string => `019b7d31-5c00-7000-8000-00000000000${n}.alice.json`;
    fs.mkdirSync(at(name(1)));
    fs.symlinkSync('/etc/passwd', at(name(2)));
    fs.writeFileSync(at(name(3)), Buffer.alloc(MESSAGE_BYTES_CEILING + 1));
    fs.mkdirSync(at('a directory'));
    fs.writeFileSync(at('notes.txt'), 'hello');
    fs.writeFileSync(at(name(4)), '');
    const id = await send('library', { content: 'good' });
    const [mail] = await read(reader);
    expect(mail?.message.id).toBe(id);
    expect(reasons(shared, 'dead/refused')).toEqual([
      'bad-frame',
      'bad-name',
      'bad-name',
      'unreadable',
      'unreadable',
      'unreadable',
    ]);
    expect(fs.readdirSync(shared.mailbox('bob', 'new'))).toEqual([]);
    expect(fs.readdirSync(shared.mailbox('bob', 'tmp'))).toEqual([]);
  });

  test('the log of both is JSON lines that the other can follow', async () => {
    const hostile = 'x\u001b]0;owned\u0007\u2028\u202e\u007f🙂';
    await send('library', { content: hostile });
    await send('python', { content: hostile });
    await (await read('python'))[0]?.acknowledge();
    const log = fs.readFileSync(path.join(shared.directory, 'log', 'agent_messages.log'), 'utf8');
    const records = log
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]));
    const sent = records.filter(({ event }) => event === 'sent');
    expect(sent.map(({ from, to, type, content, outcome }) => ({ from, to, type, content, outcome }))).toEqual(
      [['bob'], 'bob'].map((to) => ({ from: 'alice', to, type: 'INFO', content: hostile, outcome: 'delivered' })),
    );
    expect(log).toMatch(/^[\n\u0020-\u007e\u{1f642}…]*$/u);
  });
});

describe.skipIf(!isPythonThere())('every bad vector, as a file in a mailbox', () => {
  let python: PythonClient;
  beforeAll(() => {
    python = startPythonClient();
  });
  afterAll(() => python.close());
  const { nowMs, roomId, cases } = readVectors().messages['hmac-sha256'];

  test.each(CLIENTS)(
    'is put aside by the %s with exactly its reason, and every good one is handed out',
    async (client) => {
      await using shared = await createSharedRoom(python, {
        prepare: (directory) => {
          layOutKeys(directory, 'hmac-sha256');
          const config = path.join(directory, 'room.json');
          const text = fs.readFileSync(config, 'utf8');
          fs.writeFileSync(config, text.replace(/"room": "[^"]+"/, `"room": "${roomId}"`));
        },
      });
      await shared.setClock(nowMs);
      const judged: { what: string; verdict: string; said: string[] }[] = [];
      for (const address of ['alice', 'bob']) await shared.room.join(address);
      for (const { what, name, reader, bytesBase64, verdict } of cases) {
        fs.writeFileSync(shared.mailbox(reader, 'new', name), Buffer.from(bytesBase64, 'base64'));
        const claimed = await drainAs(shared, client, reader);
        const refused = fs
          .readdirSync(shared.mailbox(reader, 'dead', 'refused'))
          .filter((file) => file.endsWith('.why.json'));
        const said = refused.map((file) => reasonIn(shared.mailbox(reader, 'dead', 'refused', file)));
        judged.push({ what, verdict, said: [...said, ...claimed] });
        clear(shared, reader);
      }
      expect(judged.filter(({ verdict, said }) => said.length !== 1 || said[0] !== verdict)).toEqual([]);
      console.log(`${client}: ${judged.length} files judged in a mailbox`);
    },
  );

  /** `accepted` for each message handed out, and for each that was given up only because it has expired. */
  async function drainAs(shared: SharedRoom, client: Client, reader: string): Promise<string[]> {
    const claimed =
      client === 'library' ? await takeAll(shared.room, reader) : await shared.ask<PythonMail[]>(reader, 'drain');
    const dead = fs.readdirSync(shared.mailbox(reader, 'dead')).filter((name) => name.endsWith('.why.json'));
    return [...claimed, ...dead].map(() => 'accepted');
  }

  function clear(shared: SharedRoom, reader: string): void {
    for (const part of ['new', 'cur', 'dead', 'dead/refused']) {
      for (const name of fs.readdirSync(shared.mailbox(reader, part))) {
        if (name !== 'refused') fs.rmSync(shared.mailbox(reader, part, name), { recursive: true });
      }
    }
  }
});

function reasons(shared: SharedRoom, directory: string): string[] {
  const files = fs.readdirSync(shared.mailbox('bob', directory)).filter((name) => name.endsWith('.why.json'));
  return files.map((name) => reasonIn(shared.mailbox('bob', directory, name))).sort();
}

function reasonIn(file: string): string {
  return (JSON.parse(fs.readFileSync(file, 'utf8')) as { reason: string }).reason;
}
