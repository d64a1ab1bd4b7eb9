import fs from 'node:fs';
import { expect, test } from 'vitest';
import { initRoom, openRoom, type Agent, type Mail } from '../../src/index.ts';
import { openZoo, readAll } from '../hostile/zoo-room.ts';
import { openBadDisk, withoutLinks } from './bad-disk.ts';

const DRAFT = { to: 'bob', type: 'INFO', content: 'x' };

async function claimOne(agent: Agent): Promise<Mail> {
  for await (const mail of agent.inbox({ wait: false })) return mail;
  throw new Error('there is no mail');
}

test('in a read-only room one can look, and everything else says in one line that it is read-only', async () => {
  using disk = openBadDisk();
  const { host } = disk;
  const { directory } = await initRoom({ cwd: disk.directory, host });
  const before = await openRoom({ directory, host });
  const alice = await before.join('alice');
  const { id } = await alice.send({ ...DRAFT, to: (await before.join('bob')).address });
  await before.close();
  disk.makeReadOnly();

  const room = await openRoom({ directory, host });
  const bob = room.agent('bob');
  expect(room.actors().map(({ card }) => card.address)).toEqual(['alice', 'bob']);
  expect(room.status(id)).toMatchObject([{ state: 'delivered' }]);
  const refused = (undone: string): object => ({
    code: 'ROOM_REFUSED',
    message: expect.stringMatching(
      new RegExp(`^${undone}: the file system is read-only \\(${directory}, EROFS.*\\)\\.$`),
    ),
    hint: 'Make it writable, or use a room elsewhere: mailroom init --room <directory>',
  });
  await expect(room.join('carol')).rejects.toMatchObject(refused('Joining as carol was not completed'));
  await expect(room.join('bob')).rejects.toMatchObject(refused('Joining as bob was not completed'));
  await expect(bob.leave()).rejects.toMatchObject(refused('Leaving as bob was not completed'));
  await expect(bob.purge()).rejects.toMatchObject(refused('The purge was not completed'));
  await expect(readAll(bob)).rejects.toMatchObject(refused('The mailbox of bob was not read'));
  await expect(room.agent('alice').send(DRAFT)).rejects.toMatchObject({
    code: 'MESSAGE_DELIVERY',
    outcome: 'failed',
    message: expect.stringMatching(/read-only|EROFS/),
    hint: expect.any(String),
  });
  await expect(initRoom({ directory: `${disk.directory}/other`, host })).rejects.toMatchObject({
    code: 'ROOM_REFUSED',
    message: `No room could be made at ${disk.directory}/other: the file system is read-only.`,
    hint: 'Choose a directory you can write to: mailroom init --room <directory>',
  });
  await room.close();
  console.log(`read-only by ${disk.made}`);
});

test('on a full disk mail can be read, failed writes say so in one line, and work again once there is space', async () => {
  using disk = openBadDisk();
  const { host } = disk;
  const { directory } = await initRoom({ cwd: disk.directory, host });
  const room = await openRoom({ directory, host });
  const alice = await room.join('alice');
  const bob = await room.join('bob');
  for (let n = 0; n < 3; n++) await alice.send(DRAFT);
  // The day's directory exists, as on any but the first message of a day.
  await (await claimOne(bob)).ack();
  disk.fill();

  expect(await readAll(bob)).toHaveLength(2);
  expect(room.actors()).toHaveLength(2);
  const failure = await alice.send(DRAFT).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: 'MESSAGE_DELIVERY',
    outcome: 'failed',
    message: expect.stringMatching(/disk is full|ENOSPC/),
    hint: expect.any(String),
  });
  const full = (undone: string): object => ({
    code: 'ROOM_REFUSED',
    message: expect.stringMatching(new RegExp(`^${undone}: the disk is full \\(${directory}, ENOSPC.*\\)\\.$`)),
    hint: 'Free some space, then repeat it.',
  });
  await expect(room.join('carol')).rejects.toMatchObject(full('Joining as carol was not completed'));
  await expect(bob.leave()).rejects.toMatchObject(full('Leaving as bob was not completed'));
  await expect(initRoom({ directory: `${disk.directory}/other`, host })).rejects.toMatchObject({
    code: 'ROOM_REFUSED',
    message: `No room could be made at ${disk.directory}/other: the disk is full.`,
    hint: 'Free some space and repeat the command; it resumes where it stopped.',
  });
  expect(await readAll(bob)).toEqual([]);

  disk.empty();
  const { id } = failure as { id: string };
  expect((await alice.send({ ...DRAFT, id })).outcomes).toMatchObject({ bob: { outcome: 'delivered' } });
  expect(await readAll(bob)).toMatchObject([{ id }]);
  await room.join('carol');
  expect(await initRoom({ directory: `${disk.directory}/other`, host })).toMatchObject({ created: true });
  await room.close();
  console.log(`full by ${disk.made}`);
});

test.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])(
  'where links fail with %s no room can be made, and in a room copied there sends say why they failed',
  async (errno) => {
    await using zoo = await openZoo();
    const host = withoutLinks(errno);
    const directory = `${zoo.base}/other`;
    await expect(initRoom({ directory, host })).rejects.toMatchObject({
      code: 'ROOM_REFUSED',
      message: `No room could be made at ${directory}: this file system cannot make hard links.`,
      hint: 'Choose a directory on a local file system: mailroom init --room <directory>',
    });
    expect(fs.existsSync(`${directory}/room.json`)).toBe(false);

    const { id } = await zoo.alice.send(DRAFT);
    const moved = await openRoom({ directory: zoo.directory, host });
    expect((await readAll(moved.agent('bob'))).map((message) => message.id)).toEqual([id]);
    await expect(moved.agent('alice').send(DRAFT)).rejects.toMatchObject({
      code: 'MESSAGE_DELIVERY',
      outcome: 'failed',
      message: expect.stringContaining('this file system cannot make hard links (see: mailroom doctor)'),
    });
    await expect(moved.join('carol')).rejects.toMatchObject({
      code: 'ROOM_REFUSED',
      message: expect.stringContaining('Joining as carol was not completed: this file system cannot make hard links'),
      hint: 'Move the room to a local file system.',
    });
    expect(fs.readdirSync(zoo.mailbox.tmp)).toEqual([]);
    await moved.close();
  },
);

test('where a room was, everything says in one line that it is gone', async () => {
  await using zoo = await openZoo();
  const { alice, bob, room, directory } = zoo;
  await alice.send(DRAFT);
  const held = await claimOne(bob);
  fs.rmSync(directory, { recursive: true });
  const gone = (undone: string): object => ({
    code: 'ROOM_NOT_FOUND',
    message: `${undone}: the room ${directory} is gone.`,
    hint: 'Restore it, or make a new one with: mailroom init',
  });
  expect(() => room.actors()).toThrow(expect.objectContaining(gone('The actors were not listed')));
  await expect(room.join('carol')).rejects.toMatchObject(gone('Joining as carol was not completed'));
  await expect(alice.broadcast(DRAFT)).rejects.toMatchObject(gone('Nothing was sent'));
  await expect(held.ack()).rejects.toMatchObject(gone(`The message ${held.message.id} was not acknowledged`));
  await expect(readAll(bob)).rejects.toMatchObject(gone('The mailbox of bob was not read'));
  await expect(bob.leave()).rejects.toMatchObject(gone('Leaving as bob was not completed'));
  await expect(alice.send(DRAFT)).rejects.toMatchObject(gone('Nothing was sent'));
  expect(fs.existsSync(directory)).toBe(false);
});
