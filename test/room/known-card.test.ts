import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { initRoom, openRoom, type Room } from '../../src/index.ts';
import { type FileSystem, nodeHost } from '../../src/runtime.ts';
import { listCards } from '../../src/room/context.ts';
import { contextOf } from '../../src/room/room.ts';

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

/** A room whose reads of cards are counted. */
async function openCounted(): Promise<{ room: Room; opened: () => number }> {
  await initRoom({ cwd: directory });
  let opened = 0;
  const files: FileSystem = {
    ...nodeHost.files,
    open: (file, flags, mode) => {
      if (file.endsWith('card.json')) opened += 1;
      return nodeHost.files.open(file, flags, mode);
    },
  };
  return { room: await openRoom({ cwd: directory, host: { ...nodeHost, files } }), opened: () => opened };
}

test('cards are read once, and again after another process has replaced them', async () => {
  const { room, opened } = await openCounted();
  await using other = await openRoom({ cwd: directory });
  const bob = await other.join('bob', { skills: ['first'] });
  await other.join('carol');
  expect(listCards(contextOf(room)).map(({ address }) => address)).toEqual(['bob', 'carol']);
  const before = opened();
  expect(listCards(contextOf(room))).toHaveLength(2);
  expect(opened()).toBe(before);

  await other.join('bob', { skills: ['second'] });
  expect(listCards(contextOf(room))[0]?.skills).toEqual(['second']);
  await bob.leave();
  expect(listCards(contextOf(room))[0]?.leftAt).toBeTypeOf('string');
  expect(opened()).toBe(before + 2);
  await room.close();
});

test('a missing card is not cached, and an invalid one counts as none', async () => {
  const { room } = await openCounted();
  await room.join('bob');
  expect(listCards(contextOf(room))).toHaveLength(1);
  const card = path.join(room.directory, 'actors', 'bob', 'card.json');
  const bytes = fs.readFileSync(card);
  fs.rmSync(card);
  expect(listCards(contextOf(room))).toHaveLength(0);
  fs.writeFileSync(card, 'no card');
  expect(listCards(contextOf(room))).toHaveLength(0);
  fs.rmSync(card);
  fs.writeFileSync(card, bytes);
  expect(listCards(contextOf(room))).toHaveLength(1);
  await room.close();
});
