import fs from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import { followLog, lastLines } from '../../src/log/read-log.ts';
import { roomLayout, type RoomLayout } from '../../src/message/layout.ts';
import { openZoo, type ZooRoom } from '../hostile/zoo-room.ts';

let zoo: ZooRoom;
let layout: RoomLayout;
beforeEach(async () => {
  zoo = await openZoo();
  layout = roomLayout(zoo.directory);
  fs.writeFileSync(layout.log, '');
});
afterEach(() => zoo[Symbol.asyncDispose]());

const write = (...lines: string[]): void => fs.appendFileSync(layout.log, lines.map((line) => `${line}\n`).join(''));
const setAside = (second: string): void =>
  fs.renameSync(layout.log, `${layout.logDirectory}/agent_messages.2026-01-01T00-00-${second}.000Z.00000000.log`);

it('reads the last lines from the end, however long they are, and continues in the set-aside logs', () => {
  write('oldest');
  setAside('01');
  write(...Array.from({ length: 50 }, (_, n) => `${n} ${'x'.repeat(5_000)}`));
  setAside('02');
  write('newest', '');
  expect(lastLines(nodeHost, layout, { limit: 1 })).toEqual(['newest']);
  const some = lastLines(nodeHost, layout, { limit: 40 });
  expect(some).toHaveLength(40);
  expect(some[0]).toBe(`11 ${'x'.repeat(5_000)}`);
  const all = lastLines(nodeHost, layout, { limit: 1_000 });
  expect([all.length, all[0], all.at(-1)]).toEqual([52, 'oldest', 'newest']);
});

it('reads only the lines that match, as many as are asked for, however far back they are', () => {
  write(...Array.from({ length: 3 }, (_, n) => `old ${n}`));
  setAside('01');
  write('first', ...Array.from({ length: 50 }, (_, n) => `${n} ${'x'.repeat(5_000)}`), 'last');
  const matches = (line: string): boolean => !line.includes('x');
  expect(lastLines(nodeHost, layout, { limit: 3, matches })).toEqual(['old 2', 'first', 'last']);
});

it('reads no lines if there is no log, or something else in its place', () => {
  fs.unlinkSync(layout.log);
  expect(lastLines(nodeHost, layout, { limit: 5 })).toEqual([]);
  fs.mkdirSync(layout.log);
  expect(lastLines(nodeHost, layout, { limit: 5 })).toEqual([]);
});

it('follows appended lines, whole ones only, into the next log and the one after', () => {
  write('before');
  const following = followLog(nodeHost, layout);
  expect(following.lines()).toEqual([]);
  write('one', 'two');
  fs.appendFileSync(layout.log, 'thr');
  expect(following.lines()).toEqual(['one', 'two']);
  fs.appendFileSync(layout.log, 'ee é');
  write('');
  expect(following.lines()).toEqual(['three é']);
  write('last of the first');
  setAside('01');
  expect(following.lines()).toEqual(['last of the first']);
  write('first of the second');
  expect(following.lines()).toEqual(['first of the second']);
  setAside('02');
  write('first of the third');
  expect(following.lines()).toEqual(['first of the third']);
  following.close();
});
