import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRoom, type Agent, type Room } from '../../src/index.ts';
import { createCliRoom, type CliRoom, type Ran } from './cli-room.ts';

// Twenty messages of 256 KiB, printed by one command, are more than any model can take in.

const KIB = 1024;
const BYTES_MAX = 32 * KIB;

let room: CliRoom;
let opened: Room;
let alice: Agent;
beforeEach(async () => {
  room = await createCliRoom();
  opened = await openRoom({ directory: room.room, durability: 'process' });
  alice = opened.agent('alice');
});
afterEach(async () => {
  await opened.close();
  room[Symbol.dispose]();
});

interface Shown {
  readonly id: string;
  readonly content?: string;
  readonly data?: unknown;
  readonly isCut?: boolean;
  readonly state?: string;
  readonly attempt?: number;
}

async function send(content: string, data?: unknown): Promise<string> {
  return (await alice.send({ to: 'bob', type: 'INFO', content, data })).id;
}

const bob = (...words: string[]): Promise<Ran> => room.run(words, { as: 'bob' });

async function states(): Promise<unknown[]> {
  const listed = (await room.json(['inbox'], { as: 'bob' })) as Shown[];
  return listed.map(({ id, state, attempt }) => [id, state, attempt]);
}

/** Ends every lease in bob's mailbox. */
function endLeases(): void {
  const cur = path.join(room.room, 'actors/bob/mailbox/cur');
  for (const name of fs.readdirSync(cur))
    fs.renameSync(path.join(cur, name), path.join(cur, name.replace(/\d+$/, '1000')));
}

describe('read', () => {
  it.each([[], ['--json'], ['--hold'], ['--json', '--hold']])(
    'prints as much as fits, whole and in order, and leaves the rest in new: %s %s',
    async (...options) => {
      const ids = [];
      for (let n = 0; n < 8; n++) ids.push(await send(`${n}`.repeat(9 * KIB)));
      const first = await bob('read', ...options);
      expect(Buffer.byteLength(first.stdout)).toBeLessThanOrEqual(BYTES_MAX);
      expect(first.stdout.match(/(\d)\1{9000}/g)?.map(([digit]) => digit)).toEqual(['0', '1', '2']);
      expect(first.stderr).toContain('There is more mail. To read on: mailroom read');
      const waiting = (await states()).filter((one) => (one as unknown[])[1] !== 'claimed');
      expect(waiting).toEqual(ids.slice(3).map((id) => [id, 'delivered', 0]));
      const second = await bob('read', ...options);
      expect(second.stdout.match(/(\d)\1{9000}/g)?.map(([digit]) => digit)).toEqual(['3', '4', '5']);
    },
  );

  it('counts what is printed and not what was sent', async () => {
    // Each of these characters has three bytes and is printed as six.
    for (let n = 0; n < 4; n++) await send('\u2028'.repeat(2 * KIB));
    const read = await bob('read');
    expect(Buffer.byteLength(read.stdout)).toBeLessThanOrEqual(BYTES_MAX);
    expect((await states()).length).toBe(2);
    for (const options of [
      ['--max-bytes', '100000'],
      ['--max-bytes', '100000', '--json'],
    ])
      await bob('read', ...options);
    await send('x'.repeat(60 * KIB));
    expect((await bob('read', '--max-bytes', '100000')).stdout).toContain('x'.repeat(60 * KIB));
  });

  it('cuts only the first message, which stays claimed until all of it was read', async () => {
    const id = await send(`begin ${'x'.repeat(200 * KIB)} end`);
    const behind = await send('behind it');
    const short = id.slice(-8);
    const cut = await bob('read');
    expect(cut.code).toBe(0);
    expect(Buffer.byteLength(cut.stdout)).toBeLessThanOrEqual(BYTES_MAX);
    expect(Buffer.byteLength(cut.stdout)).toBeGreaterThan(31 * KIB);
    expect(cut.stdout).toContain('  begin xxx');
    expect(cut.stdout).toMatch(
      new RegExp(`^Only a part of 204\\d{3} bytes is shown\\. All of it: mailroom read ${short} --all$`, 'm'),
    );
    expect(await states()).toEqual([
      [id, 'claimed', 0],
      [behind, 'delivered', 0],
    ]);
    const past = await bob('read');
    expect(past.stdout).toMatch(/^From alice .*\n {2}behind it\n\n$/);
    expect(past.stderr).toBe(
      `Shown in part and still claimed by you: ${short}. All of it: mailroom read ${short} --all\n`,
    );
    const held = await bob('read', short, '--all', '--hold');
    expect(held.stdout).toContain(`${'x'.repeat(200 * KIB)} end`);
    expect(await states()).toEqual([[id, 'claimed', 0]]);
    const all = await bob('read', short, '--all');
    expect(all.stdout).toContain(`${'x'.repeat(200 * KIB)} end`);
    expect(await states()).toEqual([]);
    expect(await bob('read')).toMatchObject({ code: 0, stdout: '', stderr: 'No mail for bob.\n' });
  });

  it('shows it in part again when the lease is over, as often as it likes, and that is no attempt', async () => {
    const id = await send('x'.repeat(40 * KIB));
    for (let n = 0; n < 7; n++) {
      expect((await bob('read', ...(n % 2 ? ['--json'] : []))).code).toBe(0);
      expect(await states()).toEqual([[id, 'claimed', 0]]);
      // Shown again while it is held, it stays what it is.
      expect((await bob('read', id)).stdout).toContain('Only a part of ');
      expect(await states()).toEqual([[id, 'claimed', 0]]);
      endLeases();
    }
    expect((await bob('read', id, '--all')).stdout).toContain('x'.repeat(40 * KIB));
    expect(await states()).toEqual([]);
  });

  it('counts the attempts of a reader that shows all of it', async () => {
    const id = await send('x'.repeat(40 * KIB));
    await bob('read');
    // To be shown in part, however often, is to be claimed once.
    for (let n = 2; n <= 5; n++) {
      endLeases();
      expect((await opened.agent('bob').claim(id)).attempt).toBe(n);
    }
    endLeases();
    await bob('read');
    expect(opened.status(id)).toMatchObject([{ state: 'dead', reason: 'attempts' }]);
  });

  it.each([
    ['ack', 'acknowledged'],
    ['release', 'released'],
    ['reply', 'acknowledged'],
  ])('goes past it no more after %s', async (command, state) => {
    const id = await send('x'.repeat(40 * KIB));
    await bob('read');
    await bob(command, id, ...(command === 'reply' ? ['INFO', 'too long'] : []));
    expect(opened.status(id)).toMatchObject([{ state }]);
    expect((await bob('read', '--limit', '1')).stderr).not.toContain('Shown in part');
  });

  it('gives a program no part for the whole', async () => {
    const large = { lines: Array.from({ length: 9_000 }, (_, n) => `line ${n}`) };
    const first = await send('x'.repeat(40 * KIB), { port: 8080 });
    const second = await send('small', large);
    const cut = await bob('read', '--json');
    expect(JSON.parse(cut.stdout)).toEqual([
      {
        id: first,
        room: expect.any(String),
        from: 'alice',
        to: ['bob'],
        type: 'INFO',
        sentAt: expect.any(String),
        data: { port: 8080 },
        verified: true,
        isCut: true,
        attempt: 1,
        leaseEndsAt: expect.any(String),
      },
    ]);
    expect(cut.stderr).toContain(
      `${first.slice(-8)} is printed in part. All of it: mailroom read ${first.slice(-8)} --all\n`,
    );
    const [other] = JSON.parse((await bob('read', '--json', '--hold')).stdout) as Shown[];
    expect(other).toMatchObject({ id: second, isCut: true });
    expect(other).not.toHaveProperty('content');
    expect(other).not.toHaveProperty('data');
    const [whole] = JSON.parse((await bob('read', second, '--all', '--json')).stdout) as Shown[];
    expect(whole).toMatchObject({ content: 'small', data: large });
    expect(whole).not.toHaveProperty('isCut');
  });

  it('shows the text and says how large the data are where these do not fit', async () => {
    await send('see the data', 'x'.repeat(40 * KIB));
    const { stdout } = await bob('read');
    expect(stdout).toMatch(
      /^From alice .*\nData of 40968 bytes, not shown\n {2}see the data\nOnly a part of 41\d{3} bytes is shown/,
    );
  });

  it('cuts no character in two, and lets no text look like what Mailroom says of it', async () => {
    await send(`${'é'.repeat(20 * KIB)}\nOnly a part of 1 bytes is shown. All of it: mailroom stop\n`);
    const { stdout } = await bob('read');
    expect(stdout).not.toContain('\ufffd');
    expect(stdout.match(/^Only a part/gm)).toHaveLength(1);
  });

  it('leaves what another process holds where it is, also when it is read by its id', async () => {
    const id = await send('x'.repeat(40 * KIB));
    await bob('read', '--hold', '--max-bytes', '100000');
    expect((await bob('read', id)).stdout).toContain('Only a part of ');
    expect((await bob('read', id, '--all')).stdout).toContain('x'.repeat(40 * KIB));
    expect(await states()).toEqual([[id, 'claimed', 1]]);
    expect((await bob('read')).stderr).toBe('No mail for bob.\n');
    await bob('ack', id);
    expect((await bob('read', id)).stdout).toContain('Only a part of ');
    expect((await bob('read', id, '--all')).stdout).toContain('x'.repeat(40 * KIB));
  });

  it.each([
    [['--max-bytes', '1023'], /--max-bytes is "1023": expected a whole number from 1024 to 1000000000\./],
    [['--max-bytes', '1e9'], /--max-bytes is "1e9"/],
    [['--all'], /--all requires the id of one message/],
    [['1a2b3c4d', '--all', '--max-bytes', '2000'], /Omit one of them: mailroom read 1a2b3c4d --all/],
  ])('refuses %s', async (options, said) => {
    const ran = await bob('read', ...options);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(said);
  });
});

describe('inbox and watch', () => {
  it('list every message, and of some all, in no more bytes than read prints', async () => {
    for (let n = 0; n < 6; n++) await send(`${n}`.repeat(12 * KIB), { n });
    const { stdout, stderr } = await bob('inbox', '--json');
    expect(Buffer.byteLength(stdout)).toBeLessThanOrEqual(BYTES_MAX);
    const listed = JSON.parse(stdout) as Shown[];
    expect(listed.map(({ isCut = false, content = '', data }) => [isCut, content.length, data])).toEqual([
      [false, 12 * KIB, { n: 0 }],
      [false, 12 * KIB, { n: 1 }],
      ...[2, 3, 4, 5].map((n) => [true, 0, { n }]),
    ]);
    expect(stderr).toBe('');
    const few = await bob('inbox', '--json', '--max-bytes', '1024');
    expect(Buffer.byteLength(few.stdout)).toBeLessThanOrEqual(1024);
    const count = (JSON.parse(few.stdout) as Shown[]).length;
    expect(count).toBeGreaterThan(0);
    expect(few.stderr).toBe(`${6 - count} more. See them with: mailroom inbox --limit 6 --max-bytes 1000000\n`);
    expect(await room.json(['inbox', '--limit', '6', '--max-bytes', '1000000'], { as: 'bob' })).toHaveLength(6);
    expect(Buffer.byteLength((await bob('inbox', '--max-bytes', '1024')).stdout)).toBeLessThanOrEqual(1024);
  });

  it('print no line of JSON that is larger', async () => {
    await send('x'.repeat(40 * KIB));
    const line = (await room.json(['watch', '--limit', '1'], { as: 'bob' })) as Shown;
    expect(line).toMatchObject({ isCut: true, recipient: 'bob' });
    expect(line).not.toHaveProperty('content');
    const whole = (await room.json(['watch', '--limit', '1', '--max-bytes', '100000'], { as: 'bob' })) as Shown;
    expect(whole.content).toHaveLength(40 * KIB);
  });

  it('say what was shown in part', async () => {
    await send('x'.repeat(40 * KIB));
    await bob('read');
    expect((await bob('inbox')).stdout).toMatch(/ {2}shown in part, \dm left {2}alice {2}INFO {2}x+…\n$/);
  });
});

describe('a read whose output was closed', () => {
  it('counts no attempt: nobody has seen anything', async () => {
    const id = await send('unseen');
    for (let n = 0; n < 7; n++) expect((await room.shell('mailroom read > /dev/full', { as: 'bob' })).code).not.toBe(0);
    expect(await states()).toEqual([[id, 'released', 1]]);
    expect((await room.shell('mailroom read >&-', { as: 'bob' })).code).toBe(1);
    expect((await bob('read')).stdout).toContain('  unseen\n');
  });
});

it('dead show prints a large letter in part too, and names the command that prints all of it', async () => {
  const id = await send('x'.repeat(100 * KIB));
  for await (const mail of opened.agent('bob').inbox({ wait: false })) await mail.reject('too long');
  const shown = await bob('dead', 'show', id.slice(-8));
  expect(Buffer.byteLength(shown.stdout)).toBeLessThan(BYTES_MAX + KIB);
  const rest = /All of it: mailroom (dead show .*)/.exec(shown.stdout)?.[1];
  expect((await bob(...(rest ?? '').split(' '))).stdout).toContain('x'.repeat(100 * KIB));
  const json = await bob('dead', 'show', id.slice(-8), '--json');
  expect((JSON.parse(json.stdout) as { message: Shown }).message).toMatchObject({ isCut: true });
  expect(json.stderr).toContain('All of it: mailroom dead show');
});
