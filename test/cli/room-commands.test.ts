import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRoom } from '../../src/index.ts';
import { createCliRoom } from './cli-room.ts';

describe('init', () => {
  it('makes a room once, where it is told to, and changes nothing the second time', async () => {
    using room = await createCliRoom({ agents: [] });
    const elsewhere = path.join(room.directory, 'team');
    const made = await room.run(['init', '--room', elsewhere, '--algorithm', 'ed25519']);
    expect(made).toMatchObject({ code: 0, stdout: `${elsewhere}\n` });
    expect(made.stderr).toContain(`eval "$(mailroom --room ${elsewhere} join <address>)"`);
    expect(await room.json(['init', '--room', elsewhere])).toEqual({ directory: elsewhere, created: false });
    const other = await room.run(['init', '--room', elsewhere, '--algorithm', 'hmac-sha256']);
    expect(other.code).toBe(6);
    expect(fs.statSync(elsewhere).mode & 0o777).toBe(0o700);
    expect(await room.json(['init'], { env: { MAILROOM_DIR: elsewhere } })).toEqual({
      directory: elsewhere,
      created: false,
    });
    const joined = await room.run(['join', 'alice', '--room', elsewhere]);
    expect(joined.stdout).toBe('export MAILROOM_AS=alice\n');
    expect(fs.existsSync(path.join(elsewhere, 'keys/alice.key'))).toBe(true);
  });

  it('refuses a directory that cannot hold one', async () => {
    using room = await createCliRoom({ agents: [] });
    const ran = await room.run(['init', '--room', '/proc/none']);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('/proc/none');
  });
});

describe('agents', () => {
  it('lists who joined, for people, for programs and for completion', async () => {
    using room = await createCliRoom({ agents: ['alice'] });
    await room.run(['join', 'bob', '--program', 'claude', '--skills', 'typescript,security', '--accepts', 'VOTE']);
    await room.run(['leave'], { as: 'bob' });
    await room.run(['send', 'bob', 'INFO', 'x'], { as: 'alice' });
    expect(await room.json(['agents'])).toEqual([
      expect.objectContaining({ address: 'alice', kind: 'agent', live: true, waiting: 0 }),
      expect.objectContaining({
        address: 'bob',
        program: 'claude',
        skills: ['typescript', 'security'],
        accepts: ['VOTE'],
        live: false,
        leftAt: expect.any(String),
        waiting: 1,
      }),
    ]);
    const { stdout } = await room.run(['agents']);
    expect(stdout).toMatch(
      /^ADDRESS {2}STATE {2}SEEN .*\nalice .* live .*\nbob {6}left .* 1 {8}claude {3}typescript, security\n$/,
    );
    expect((await room.run(['agents', '--addresses'])).stdout).toBe('alice\nbob\n');
    using empty = await createCliRoom({ agents: [] });
    expect(await empty.run(['agents'])).toMatchObject({ code: 0, stdout: '' });
  });
});

describe('dead', () => {
  it('lists, shows and takes back what was given up, and shows nothing of what was refused', async () => {
    using room = await createCliRoom();
    await using opened = await openRoom({ cwd: room.directory });
    const { id } = await opened.agent('alice').send({ to: 'bob', type: 'QUESTION', content: 'too hard' });
    for await (const mail of opened.agent('bob').inbox({ wait: false })) await mail.reject('I do not know');
    fs.writeFileSync(path.join(room.room, 'actors/bob/mailbox/new/forged'), 'secret text');
    expect((await room.run(['read'], { as: 'bob' })).stdout).toBe('');

    const letters = (await room.json(['dead'], { as: 'bob' })) as { id: string; verified: boolean }[];
    expect(letters).toMatchObject([
      { id, reason: 'rejected', detail: 'I do not know', verified: true },
      { reason: 'bad-name', verified: false },
    ]);
    const refused = letters[1]?.id ?? '';
    const { stdout } = await room.run(['dead', 'list'], { as: 'bob' });
    expect(stdout).toMatch(new RegExp(`^${id.slice(-8)} .* from alice {2}rejected {2}I do not know\n`));
    expect((await room.run(['dead', 'show', id.slice(-8)], { as: 'bob' })).stdout).toContain('  too hard\n');
    const shown = await room.run(['dead', 'show', refused], { as: 'bob' });
    expect(shown.stdout).toContain('bad-name');
    expect(shown.stdout).not.toContain('secret');

    expect((await room.run(['ack', id], { as: 'bob' })).stderr).toContain(`mailroom dead retry ${id.slice(-8)}`);
    expect((await room.run(['dead', 'retry', refused], { as: 'bob' })).code).toBe(6);
    expect((await room.run(['dead', 'retry'], { as: 'bob' })).code).toBe(2);
    expect((await room.run(['dead', 'show', 'ffffffff'], { as: 'bob' })).code).toBe(3);
    expect(await room.json(['dead', 'retry', id.slice(-8)], { as: 'bob' })).toEqual({ id, state: 'released' });
    expect(await room.json(['read'], { as: 'bob' })).toMatchObject([{ id, content: 'too hard' }]);
  });

  it('takes back what was refused for a reason that passes, by its id, by the id in its name, or all of it', async () => {
    using room = await createCliRoom();
    await using opened = await openRoom({ cwd: room.directory });
    const alice = opened.agent('alice');
    const contents = ['by its id', 'by its name', 'one of all', 'another'];
    const ids: string[] = [];
    for (const content of contents) ids.push((await alice.send({ to: 'bob', type: 'INFO', content })).id);
    const key = path.join(room.room, 'keys/room.key');
    const good = fs.readFileSync(key);
    fs.writeFileSync(key, 'ab'.repeat(32));
    expect((await room.run(['read'], { as: 'bob' })).stdout).toBe('');
    fs.writeFileSync(key, good);

    const letters = (await room.json(['dead'], { as: 'bob' })) as { id: string; messageId: string }[];
    expect(letters).toMatchObject(ids.map(() => ({ reason: 'unknown-key', verified: false, retryable: true })));
    expect(letters.map(({ messageId }) => messageId).toSorted()).toEqual(ids);
    expect((await room.run(['dead'], { as: 'bob' })).stdout).toContain('refused, may be retried');
    const uuid = letters.find(({ messageId }) => messageId === ids[0])?.id ?? '';
    for (const ending of [uuid.slice(-8), ids[1]?.slice(-8) ?? '']) {
      expect((await room.run(['dead', 'retry', ending], { as: 'bob' })).code).toBe(0);
    }
    expect(await room.json(['read'], { as: 'bob' })).toMatchObject([{ id: ids[0] }, { id: ids[1] }]);
    const released = await room.json(['dead', 'retry', '--refused'], { as: 'bob' });
    expect(new Set(released as object[])).toEqual(new Set(ids.slice(2).map((id) => ({ id, state: 'released' }))));
    expect(await room.json(['read'], { as: 'bob' })).toMatchObject(contents.slice(2).map((content) => ({ content })));
    expect((await room.run(['dead', 'retry', '--refused'], { as: 'bob' })).stderr).toContain('No refused message');
  });
});

describe('purge', () => {
  it('deletes what was acknowledged long ago, and says how much', async () => {
    using room = await createCliRoom();
    const done = path.join(room.room, 'actors/bob/mailbox/done/2020-01-02');
    fs.mkdirSync(done, { mode: 0o700 });
    fs.writeFileSync(path.join(done, 'old'), '');
    expect(await room.json(['purge'], { as: 'bob' })).toEqual({
      address: 'bob',
      through: '2020-01-02',
      days: 1,
      messages: 1,
    });
    expect(fs.existsSync(done)).toBe(false);
    expect((await room.run(['purge'], { as: 'bob' })).stdout).toBe('0 messages of 0 days deleted for bob\n');
  });
});

describe('log', () => {
  it('prints the last things that happened, as lines and as JSON lines', async () => {
    using room = await createCliRoom();
    await room.run(['send', 'bob', 'INFO', 'hello'], { as: 'alice' });
    await room.run(['read'], { as: 'bob' });
    const { stdout } = await room.run(['log', '--limit', '3']);
    const [sent, claimed, acknowledged] = stdout.split('\n');
    expect(sent).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ {2}sent {11}alice → bob {2}INFO {2}[0-9a-f]{8} {2}\[delivered\] {2}"hello"$/,
    );
    expect(claimed).toContain('claimed');
    expect(acknowledged).toContain('acknowledged');
    const json = await room.run(['log', '--json', '--limit', '1']);
    expect(JSON.parse(json.stdout)).toMatchObject({ event: 'acknowledged', from: 'alice', to: 'bob' });
  });
});
