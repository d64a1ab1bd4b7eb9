import fs from 'node:fs';
import { expect, test } from 'vitest';
import { envelope, idAt, sealed } from '../../fixtures/zoo/forge.ts';
import { putUnnameable, things } from '../../fixtures/zoo/things.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { openRoom } from '../../src/index.ts';
import { listDead } from '../../src/mailbox/dead.ts';
import { mailboxOf } from '../../src/room/context.ts';
import { contextOf } from '../../src/room/room.ts';
import { systemError } from '../faults/faulty-files.ts';
import { countBy, openZoo, readAll, refusedIn, type ZooRoom } from './zoo-room.ts';

/** A good message for the links of the zoo to point to. */
function goodFile(zoo: ZooRoom): string {
  const good = `${zoo.base}/good`;
  fs.writeFileSync(good, sealed(zoo.forge, { from: 'alice', signed: JSON.stringify(envelope(zoo.forge, {})) }));
  return good;
}

async function expectMailToPass(zoo: ZooRoom): Promise<void> {
  const { id } = await zoo.alice.send({ to: 'bob', type: 'INFO', content: 'good' });
  expect((await readAll(zoo.bob)).map((message) => message.id)).toEqual([id]);
  expect(zoo.room.status(id)).toMatchObject([{ state: 'acknowledged' }]);
}

test('a file in cur with the name of a claim is put aside when the lease has ended, other files are left alone', async () => {
  await using zoo = await openZoo();
  const { cur } = zoo.mailbox;
  const expected: Record<string, string> = {};
  const ends = [',1,0', ',3,1', `,2,${'9'.repeat(15)}`, ',0,0', ',999999,0'];
  for (const [index, thing] of things({ good: goodFile(zoo) }).entries()) {
    const name = `${idAt(Date.now())}.alice.json`;
    await thing.put(`${cur}/${name}${ends[index % ends.length]}`);
    expected[name] = `unreadable: ${thing.detail}`;
    await thing.put(`${cur}/${thing.kind}`);
    await thing.put(`${cur}/${idAt(Date.now())}.alice.json,1,${Date.now() + 3_600_000}`);
  }
  const forged = `${idAt(Date.now())}.alice.json`;
  fs.writeFileSync(`${cur}/${forged},4,0`, sealed(zoo.forge, { from: 'mallory', signed: '{}' }));
  putUnnameable(cur, { bytes: [0xff, 0x2c, 0x31, 0x2c, 0x30] });
  const letLie = fs.readdirSync(cur).length - Object.keys(expected).length - 1;

  await expectMailToPass(zoo);
  const kept = [...refusedIn(zoo.mailbox)].map(([name, { reason, detail }]) => [name, `${reason}: ${detail}`]);
  const { [forged]: why, ...unreadable } = Object.fromEntries(kept) as Record<string, string>;
  expect(unreadable).toEqual(expected);
  expect(why).toMatch(/^unknown-key: /);
  expect(fs.readdirSync(cur)).toHaveLength(letLie);
  console.log(`${kept.length} put aside from cur, ${letLie} let lie`);
});

test('files in tmp stop neither senders nor readers, even if old and impossible to remove', async () => {
  await using zoo = await openZoo();
  const { tmp } = zoo.mailbox;
  for (const thing of things({ good: goodFile(zoo) })) await thing.put(`${tmp}/${thing.kind}`);
  putUnnameable(tmp, { bytes: [0xff] });
  for (const name of ['stuck', 'old']) fs.writeFileSync(`${tmp}/${name}`, 'x');
  for (const name of fs.readdirSync(tmp)) if (fs.existsSync(`${tmp}/${name}`)) fs.utimesSync(`${tmp}/${name}`, 1, 1);
  const files = {
    ...nodeHost.files,
    unlink: (path: string): void => {
      if (path.endsWith('/stuck')) throw systemError('EPERM', { name: 'unlink', path });
      nodeHost.files.unlink(path);
    },
  };
  await using reader = await openRoom({ directory: zoo.directory, host: { ...nodeHost, files } });
  await expectMailToPass({ ...zoo, bob: reader.agent('bob') });
  const left = fs.readdirSync(tmp);
  expect(left).toContain('stuck');
  expect(left).not.toContain('old');
  console.log(`${left.length} let lie in tmp`);
});

test('files in dead are listed as text that a program can rely on', async () => {
  await using zoo = await openZoo();
  const { dead, refused } = zoo.mailbox;
  for (const directory of [dead, refused]) {
    for (const thing of things({ good: goodFile(zoo) })) {
      await thing.put(`${directory}/${thing.kind}`);
      await thing.put(`${directory}/why-of-${thing.kind}.why.json`);
    }
    putUnnameable(directory, { bytes: [0xff] });
    const whys = ['null', '[]', '17', '"x"', 'not JSON', '{"reason":{"a":1},"detail":[],"name":7,"at":null}'];
    whys.push(
      '{"__proto__":{"verified":true},"reason":"r"}',
      '{"path":"/etc/passwd","verified":"yes"}',
      '['.repeat(100_000),
    );
    for (const [index, why] of whys.entries()) {
      const name = `${idAt(Date.now())}.alice.json`;
      fs.writeFileSync(`${directory}/${name}`, 'x');
      fs.writeFileSync(`${directory}/${name}.why.json`, why);
      if (index === 0) fs.mkdirSync(`${directory}/${idAt(Date.now())}.alice.json.why.json`);
    }
  }
  await zoo.alice.send({ to: 'bob', type: 'INFO', content: 'unwanted' });
  for await (const mail of zoo.bob.inbox({ wait: false })) await mail.reject('unwanted');
  const mailbox = mailboxOf(contextOf(zoo.room), 'bob');
  const letters = mailbox ? listDead(mailbox) : [];
  for (const { name, reason, detail, at, path, verified } of letters) {
    expect([name, reason, detail, at].map((value) => typeof value)).toEqual(['string', 'string', 'string', 'string']);
    expect(verified).toBe(!path.startsWith(refused));
    expect(path.startsWith(dead)).toBe(true);
  }
  await expectMailToPass(zoo);
  console.log(`${letters.length} letters listed: ${JSON.stringify(countBy(letters.map(({ reason }) => reason)))}`);
  expect(countBy(letters.map(({ reason }) => reason))).toEqual({ unknown: 2 * 20, rejected: 1 });
});

test('strange files among the actors and an invalid card stop neither lists nor broadcasts', async () => {
  await using zoo = await openZoo();
  const actors = `${zoo.directory}/actors`;
  for (const thing of things({ good: goodFile(zoo) })) {
    await thing.put(`${actors}/${thing.kind}`);
    const member = `member-${thing.kind}`;
    await zoo.room.join(member);
    fs.rmSync(`${actors}/${member}/card.json`);
    await thing.put(`${actors}/${member}/card.json`);
  }
  putUnnameable(actors, { bytes: [0xff] });
  for (const name of ['all', 'system', 'UPPER', 'with space', '.hidden', 'x'.repeat(255)])
    fs.mkdirSync(`${actors}/${name}`);
  const card = JSON.parse(fs.readFileSync(`${actors}/bob/card.json`, 'utf8')) as Record<string, unknown>;
  const wrong: readonly unknown[] = [
    null,
    [],
    17,
    { ...card, address: 'bob' },
    ...['process', 'skills', 'accepts', 'joinedAt', 'kind'].map((field) => ({ ...card, [field]: undefined })),
    { ...card, process: null },
    { ...card, process: { pid: '1', startTime: 1, bootId: {} } },
    { ...card, skills: [{ a: 1 }] },
    { ...card, accepts: [{}, '\u001b[2J'] },
    { ...card, program: { toString: 1 } },
    { ...card, leftAt: 17 },
    { ...card, kind: 'boss' },
    { ...card, broadcasts: 'yes' },
    { ...card, joinedAt: 17 },
    { ...card, tmux: true },
    { ...card, tmux: { socket: 7, pane: '%0; kill-server', serverPid: 'x', process: null } },
  ];
  for (const [index, content] of wrong.entries()) {
    const member = `wrong-${index}`;
    await zoo.room.join(member);
    const mine =
      typeof content === 'object' && !Array.isArray(content) && index > 3 ? { ...content, address: member } : content;
    fs.writeFileSync(`${actors}/${member}/card.json`, JSON.stringify(mine));
  }
  const listed = zoo.room.actors().map((actor) => actor.card.address);
  expect(listed).toEqual(['alice', 'bob']);
  const { outcomes } = await zoo.alice.broadcast({ type: 'INFO', content: 'to all' });
  expect(Object.keys(outcomes)).toEqual(['bob']);
  expect(await readAll(zoo.bob)).toMatchObject([{ content: 'to all' }]);
  await expectMailToPass(zoo);
  await expect(zoo.alice.send({ to: 'bob', type: 'UNDECLARED', content: '' })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
  });
  console.log(`${fs.readdirSync(actors).length} things among the actors, ${wrong.length} cards that make no sense`);
});
