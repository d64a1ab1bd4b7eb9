import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { envelope, framed, idAt, sealed } from '../../fixtures/zoo/forge.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { openRoom } from '../../src/index.ts';
import { actorLayout, roomLayout } from '../../src/message/layout.ts';
import { createSteppedClock } from './stepped-clock.ts';
import { deadIn, logged, openZoo, readAll, reasonsIn, refusedIn, type ZooRoom } from './zoo-room.ts';

const DAY_MS = 86_400_000;

/** Sends a message from alice to bob and keeps a copy of its file as it was before it was read. */
async function captured(zoo: ZooRoom, content = 'pay 10'): Promise<{ id: string; name: string; bytes: Buffer }> {
  const { id } = await zoo.alice.send({ to: 'bob', type: 'INFO', content });
  const name = `${id}.alice.json`;
  return { id, name, bytes: fs.readFileSync(`${zoo.mailbox.new}/${name}`) };
}

test('a copy in the same mailbox is dropped, whatever happened to the message: read, claimed or given up', async () => {
  await using zoo = await openZoo();
  const one = await captured(zoo);
  const place = (): void => fs.writeFileSync(`${zoo.mailbox.new}/${one.name}`, one.bytes);
  let handled = 0;
  await readAll(zoo.bob, async () => {
    handled += 1;
    place();
    expect(await readAll(zoo.bob)).toEqual([]);
  });
  expect(handled).toBe(1);
  place();
  fs.writeFileSync(`${zoo.mailbox.cur}/${one.name},0,0`, one.bytes);
  expect(await readAll(zoo.bob)).toEqual([]);

  const other = await captured(zoo, 'pay 20');
  for await (const mail of zoo.bob.inbox({ wait: false })) await mail.reject('cannot pay');
  fs.writeFileSync(`${zoo.mailbox.new}/${other.name}`, other.bytes);
  expect(await readAll(zoo.bob)).toEqual([]);

  expect(logged(zoo.directory, 'duplicate')).toHaveLength(4);
  for (const directory of [zoo.mailbox.new, zoo.mailbox.cur, zoo.mailbox.refused]) {
    expect(fs.readdirSync(directory)).toEqual([]);
  }
  expect([...deadIn(zoo.mailbox).values()]).toMatchObject([{ name: other.name, reason: 'rejected' }]);
});

test('another message with the id of a handled one is refused', async () => {
  await using zoo = await openZoo();
  const one = await captured(zoo);
  expect(await readAll(zoo.bob)).toHaveLength(1);
  const signed = JSON.stringify(envelope(zoo.forge, { id: one.id, content: 'pay 1000' }));
  fs.writeFileSync(`${zoo.mailbox.new}/${one.name}`, sealed(zoo.forge, { from: 'alice', signed }));
  expect(await readAll(zoo.bob)).toEqual([]);
  expect([...refusedIn(zoo.mailbox).values()]).toMatchObject([{ name: one.name, reason: 'duplicate-differs' }]);
});

test('a message is refused in another mailbox, and a broadcast in that of its sender', async () => {
  await using zoo = await openZoo();
  const carol = await zoo.room.join('carol');
  const direct = await captured(zoo);
  const { id } = await zoo.alice.broadcast({ type: 'INFO', content: 'to all' });
  const newOf = (address: string): string => actorLayout(roomLayout(zoo.directory), address).mailbox.new;
  fs.writeFileSync(path.join(newOf('carol'), direct.name), direct.bytes);
  fs.copyFileSync(path.join(newOf('bob'), `${id}.alice.json`), path.join(newOf('alice'), `${id}.alice.json`));
  expect((await readAll(carol)).map(({ content }) => content)).toEqual(['to all']);
  expect(await readAll(zoo.alice)).toEqual([]);
  for (const address of ['carol', 'alice']) {
    expect(reasonsIn(actorLayout(roomLayout(zoo.directory), address).mailbox.refused)).toMatchObject([
      { reason: 'wrong-recipient' },
    ]);
  }
});

test('a message of one room is refused in another, even in one with the same key', async () => {
  await using from = await openZoo();
  await using to = await openZoo();
  const { name, bytes } = await captured(from);
  fs.writeFileSync(`${to.mailbox.new}/${name}`, bytes);
  expect(await readAll(to.bob)).toEqual([]);
  fs.copyFileSync(`${from.directory}/keys/room.key`, `${to.directory}/keys/room.key`);
  await using sameKey = await openRoom({ directory: to.directory });
  fs.writeFileSync(`${to.mailbox.new}/${name}`, bytes);
  expect(await readAll(sameKey.agent('bob'))).toEqual([]);
  expect(reasonsIn(to.mailbox.refused).map(({ reason }) => reason)).toEqual(['unknown-key', 'unknown-key']);
});

test('a copy is refused after the purge of the day on which the message was read', async () => {
  await using zoo = await openZoo();
  const one = await captured(zoo);
  expect(await readAll(zoo.bob)).toHaveLength(1);
  const clock = createSteppedClock();
  await using later = await openRoom({ directory: zoo.directory, host: { ...nodeHost, clock } });
  clock.advance(40 * DAY_MS);
  expect(await later.agent('bob').purge()).toMatchObject({ messages: 1 });
  fs.writeFileSync(`${zoo.mailbox.new}/${one.name}`, one.bytes);
  expect(await readAll(later.agent('bob'))).toEqual([]);
  expect([...refusedIn(zoo.mailbox).values()]).toMatchObject([{ name: one.name, reason: 'purged' }]);
});

test('where everyone has a key pair, only a private key signs for its actor, and no sender name breaks the reader', async () => {
  await using zoo = await openZoo({ algorithm: 'ed25519' });
  const one = await captured(zoo, 'true');
  const pem = fs.readFileSync(`${zoo.directory}/keys/pub/alice`);
  const { keyId } = /"keyId":"(?<keyId>\w{16})"/.exec(one.bytes.toString())?.groups ?? {};
  const id = idAt(Date.now());
  const signed = Buffer.from(
    one.bytes.toString().slice('{"signed":'.length).split(',"signature":')[0]?.replace(one.id, id) ?? '',
  );
  const byPublicKey = createHmac('sha256', pem).update('mailroom/message/v1\n').update(signed).digest('hex');
  const expected: Record<string, string> = {};
  const place = (name: string, value: string, reason: string): void => {
    fs.writeFileSync(`${zoo.mailbox.new}/${name}`, framed({ signed, keyId: keyId ?? '', value }));
    expected[name] = reason;
  };
  place(`${id}.alice.json`, byPublicKey, 'bad-signature');
  place(`${idAt(Date.now())}.alice.json`, '0'.repeat(128), 'bad-signature');
  place(`${id}.bob.json`, '0'.repeat(128), 'unknown-key');
  place(`${id}.nobody.json`, '0'.repeat(128), 'unknown-key');
  place(`${id}.all.json`, '0'.repeat(128), 'unknown-key');
  place(`${id}.system.json`, '0'.repeat(128), 'unknown-key');
  fs.writeFileSync(`${zoo.directory}/keys/pub/mallory`, 'no key at all');
  place(`${id}.mallory.json`, '0'.repeat(128), 'unknown-key');

  expect((await readAll(zoo.bob)).map(({ content }) => content)).toEqual(['true']);
  expect(await readAll(zoo.bob)).toEqual([]);
  const kept = [...refusedIn(zoo.mailbox)].map(([name, { reason }]) => [name, reason]);
  expect(Object.fromEntries(kept)).toEqual(expected);
  console.log(`${kept.length} of another key's algorithm or of none refused`);
});
