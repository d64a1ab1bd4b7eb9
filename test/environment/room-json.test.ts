import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { initRoom, openRoom } from '../../src/index.ts';

let base: string;
let file: string;
let written: Record<string, unknown>;
beforeEach(async () => {
  base = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-config-'));
  const { directory } = await initRoom({ cwd: base });
  file = path.join(directory, 'room.json');
  written = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>;
});
afterEach(() => fs.rmSync(base, { recursive: true, force: true }));

const MEND = 'Restore the file from a backup, or fix it by hand; it is JSON.';

test('a room of a newer format is refused with the way to update', async () => {
  fs.writeFileSync(file, JSON.stringify({ ...written, version: 2, somethingNew: true }));
  await expect(openRoom({ cwd: base })).rejects.toMatchObject({
    code: 'ROOM_REFUSED',
    message: `${file} has format version 2; this Mailroom knows 1.`,
    hint: 'Use the version of Mailroom that wrote it, or a newer one.',
  });
});

test.each<readonly [text: string, what: string]>([
  ['', 'is not JSON'],
  ['{"version": 1, "room": "x', 'is not JSON'],
  ['null', 'is not a JSON object'],
  ['17', 'is not a JSON object'],
  ['[]', 'has no format version: expected "version": 1'],
  ['{}', 'has no format version: expected "version": 1'],
  ['{"version":"1"}', 'has no format version: expected "version": 1'],
  ['{"version":1}', 'has no room id'],
  [`{"version":1,"room":"${'x'.repeat(65)}"}`, 'has no room id'],
  ['{"version":1,"room":"x"}', 'has the signing algorithm undefined: expected "hmac-sha256" or "ed25519"'],
  [
    '{"version":1,"room":"x","algorithm":"none"}',
    'has the signing algorithm "none": expected "hmac-sha256" or "ed25519"',
  ],
  ['{"version":1,"room":"x","algorithm":"ed25519","actors":null}', 'has no object under "actors"'],
])('a room.json of %s is refused with what is wrong in it', async (text, what) => {
  fs.writeFileSync(file, text);
  await expect(openRoom({ cwd: base })).rejects.toMatchObject({
    code: 'ROOM_REFUSED',
    message: `${file} ${what}.`,
    hint: MEND,
  });
});

test('an unknown limit is refused with the nearest name, for the room and for one actor', async () => {
  const set = (changed: object): void => fs.writeFileSync(file, JSON.stringify({ ...written, ...changed }));
  set({ limits: { ratelimit: 5 } });
  await expect(openRoom({ cwd: base })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: `${file} limits has an unknown limit "ratelimit".`,
    hint: 'Did you mean rateLimit?',
  });
  set({ actors: { bob: { leaseMS: 5 } } });
  await expect(openRoom({ cwd: base })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: `${file} actors.bob has an unknown limit "leaseMS".`,
    hint: 'Did you mean leaseMs?',
  });
  set({ limits: { somethingElseEntirely: 5 } });
  await expect(openRoom({ cwd: base })).rejects.toMatchObject({ hint: expect.stringContaining('rateLimit') });
  for (const value of [0, -1, 1.5, '5', null, [5]]) {
    set({ limits: { pollMs: value } });
    await expect(openRoom({ cwd: base })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: `${file} limits.pollMs is ${JSON.stringify(value)}: expected a whole number from 1 to 2147483647.`,
    });
  }
  for (const limit of [
    { rateLimit: 100_001 },
    { rateWindowMs: 2 ** 31 - 1 },
    { doneDaysKept: 1e8 },
    { pollMs: 2 ** 31 },
  ]) {
    const [name = '', value] = Object.entries(limit)[0] ?? [];
    const range = expect.stringMatching(new RegExp(`${name} is ${value}: expected a whole number from 1 to \\d+\\.$`));
    for (const changed of [{ limits: limit }, { actors: { bob: limit } }]) {
      fs.writeFileSync(file, JSON.stringify({ ...written, ...changed }));
      await expect(openRoom({ cwd: base })).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        message: range,
        hint: expect.stringContaining('leave it out for the default'),
      });
    }
  }
  set({ limits: [] });
  await expect(openRoom({ cwd: base })).rejects.toMatchObject({
    message: `${file} limits is not an object: expected limits by name, such as {"rateLimit": 60}.`,
  });
});

test('limits hold for the room, and those of one actor for that actor', async () => {
  const limits = { rateLimit: 7, pollMs: 50 };
  fs.writeFileSync(file, JSON.stringify({ ...written, limits, actors: { bob: { rateLimit: 9 } } }));
  const { config } = await openRoom({ cwd: base });
  expect(config.limitsOf('alice')).toMatchObject(limits);
  expect(config.limitsOf('bob')).toMatchObject({ rateLimit: 9, pollMs: 50 });
});
