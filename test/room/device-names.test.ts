/**
 * A room may be copied to any system, so nobody joins under a name that no file can have on Windows. An actor that has
 * one already keeps it.
 */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRoom } from '../../src/index.ts';
import { childAddress } from '../../src/step/child-address.ts';
import type { CliRoom } from '../cli/cli-room.ts';
import { createProject, GREETER } from '../runtime/cli-machines.ts';

const NUMBERS = '123456789';
const DEVICES = [
  'con',
  'prn',
  'aux',
  'nul',
  ...Array.from(NUMBERS, (n) => `com${n}`),
  ...Array.from(NUMBERS, (n) => `lpt${n}`),
];

let room: CliRoom;
beforeAll(async () => {
  room = await createProject({ 'greeter.mjs': GREETER });
});
afterAll(() => room[Symbol.dispose]());

const actors = (): string[] => fs.readdirSync(path.join(room.room, 'actors')).toSorted();

describe('a new actor', () => {
  it(`cannot have any of the ${DEVICES.length} device names, even with a dot and more text behind it`, async () => {
    await using opened = await openRoom({ directory: room.room });
    for (const device of DEVICES) {
      for (const address of [device, `${device}.json`, `${device}.a.b`]) {
        await expect(opened.join(address), address).rejects.toMatchObject({
          code: 'INVALID_INPUT',
          message: expect.stringContaining(`"${device}" is a device`),
          hint: `Choose another name, for example ${device}-1${address.slice(device.length)}.`,
        });
      }
    }
    expect(actors()).toEqual(['alice', 'bob']);
    // The hint must work.
    await opened.join('con-1.a.b');
  });

  it.each(['conin', 'console', 'co', 'com', 'com0', 'com10', 'lpt', 'null', 'a.con', 'con_', 'con-1', 'auxx', 'nul1'])(
    'may be called %s',
    async (address) => {
      await using opened = await openRoom({ directory: room.room });
      await opened.join(address);
      expect(actors()).toContain(address);
    },
  );

  it.each([
    'CON',
    'conin$',
    'conout$',
    'com¹',
    'lpt³',
    'a.',
    'a ',
    'a:b',
    'a*',
    'a?',
    'a<b',
    'a>b',
    'a|b',
    'a"b',
    'a\\b',
    'a/b',
  ])('cannot be called %s, which is not an address', async (address) => {
    await using opened = await openRoom({ directory: room.room });
    await expect(opened.join(address)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  it('is refused in one line by join and by run, which suggest another', async () => {
    const said =
      'mailroom: The address "aux" cannot be a file name on Windows, where "aux" is a device, and a room may be copied there. ' +
      'Choose another name, for example aux-1.\n';
    const before = actors();
    const joined = await room.run(['join', 'aux']);
    expect({ ...joined, stderr: joined.stderr.replaceAll(/\s+/g, ' ').trim() }).toMatchObject({
      code: 2,
      stdout: '',
      stderr: said.trim(),
    });
    const ran = await room.run(['run', 'greeter.mjs', '--as', 'aux']);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain('"aux" is a device');
    expect(actors()).toEqual(before);
  });
});

it('a child does not get one from its systemId either', () => {
  const child = { parent: 'ship', childId: 'build', step: 1, taken: new Set<string>() };
  expect(() => childAddress({ ...child, systemId: 'nul.build' })).toThrow('"nul" is a device');
  expect(childAddress({ ...child, systemId: 'build.nul' })).toBe('build.nul');
  expect(childAddress({ ...child, childId: 'CON', systemId: undefined })).toBe('ship.con-1');
});

it.each([
  [['send', 'prn', 'INFO', 'x'], 'prn-1'],
  [['inbox', '--as', 'prn.mail'], 'prn-1.mail'],
])('the hint about %j, as which nobody has joined, works', async (words, address) => {
  const refused = await room.run(words, { as: 'alice' });
  expect(refused.code).toBe(3);
  const [, named = ''] = /mailroom(?:\.cjs)? join (\S+)/.exec(refused.stderr) ?? [];
  expect(named).toBe(address);
  expect(await room.run(['join', named])).toMatchObject({ code: 0 });
});

describe('an actor that joined as con earlier', () => {
  const as = { as: 'con' };
  beforeAll(async () => {
    await room.run(['join', 'before']);
    fs.renameSync(path.join(room.room, 'actors/before'), path.join(room.room, 'actors/con'));
    const card = path.join(room.room, 'actors/con/card.json');
    fs.writeFileSync(card, fs.readFileSync(card, 'utf8').replace('"before"', '"con"'));
  });

  it('is listed, gets mail, reads, replies, leaves and comes back', async () => {
    expect((await room.run(['agents'])).stdout).toContain('con');
    expect(await room.run(['send', 'con', 'QUESTION', 'there?'], { as: 'alice' })).toMatchObject({ code: 0 });
    const [mail] = (await room.json(['inbox'], as)) as { id: string; content: string }[];
    expect(mail?.content).toBe('there?');
    expect(await room.run(['reply', mail?.id ?? '', 'INFO', 'yes'], as)).toMatchObject({ code: 0 });
    expect(await room.run(['leave'], as)).toMatchObject({ code: 0 });
    expect(await room.run(['join', 'con'])).toMatchObject({ code: 0 });
    expect((await room.run(['inbox'], { as: 'alice' })).stdout).toContain('con');
  });

  it('is reported by doctor, which finds nothing wrong', async () => {
    const { code, stdout } = await room.run(['doctor']);
    expect(stdout).toContain('con cannot be a file name on Windows');
    expect(code).toBe(0);
  });
});
