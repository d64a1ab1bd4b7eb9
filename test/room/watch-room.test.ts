import { afterEach, beforeEach, expect, it } from 'vitest';
import { contextOf } from '../../src/room/room.ts';
import { watchRoom, type Seen } from '../../src/room/watch-room.ts';
import { until } from '../hostile/until.ts';
import { openZoo, readAll, type ZooRoom } from '../hostile/zoo-room.ts';

let zoo: ZooRoom;
const stop = { controller: new AbortController() };
beforeEach(async () => {
  stop.controller = new AbortController();
  zoo = await openZoo();
});
afterEach(async () => {
  stop.controller.abort();
  await zoo[Symbol.asyncDispose]();
});

/** Collects what is seen until the test aborts. */
function watch(address: string | undefined): { seen: Seen[]; ended: Promise<void> } {
  const seen: Seen[] = [];
  const ended = (async () => {
    const { signal } = stop.controller;
    for await (const one of watchRoom(contextOf(zoo.room), { address, signal })) seen.push(one);
  })();
  return { seen, ended };
}

it('begins with waiting and not with handled mail, and sees each message once', async () => {
  await zoo.alice.send({ to: 'bob', type: 'INFO', content: 'read' });
  await readAll(zoo.bob);
  await zoo.alice.send({ to: 'bob', type: 'INFO', content: 'waits' });
  const { seen, ended } = watch('bob');
  await until('what waits is seen', () => seen.length === 1);
  await zoo.bob.send({ to: 'alice', type: 'INFO', content: 'not for bob' });
  for (const content of ['one', 'two']) await zoo.alice.send({ to: 'bob', type: 'INFO', content });
  await until('what arrives is seen', () => seen.length === 3);
  await readAll(zoo.bob);
  await zoo.alice.send({ to: 'bob', type: 'INFO', content: 'three' });
  await until('the last is seen', () => seen.length === 4);
  stop.controller.abort();
  await ended;
  expect(seen.map(({ message }) => message.content)).toEqual(['waits', 'one', 'two', 'three']);
});

it('sees mail to anyone, even to an actor that joins later and reads at once, and nothing forged', async () => {
  const { seen, ended } = watch(undefined);
  await zoo.alice.send({ to: 'bob', type: 'INFO', content: 'to bob' });
  await until('the first is seen', () => seen.length === 1);
  const dora = await zoo.room.join('dora');
  await zoo.alice.send({ to: 'dora', type: 'INFO', content: 'to dora' });
  await readAll(dora);
  await until('the second is seen', () => seen.length === 2);
  stop.controller.abort();
  await ended;
  expect(seen.map(({ recipient, message }) => [recipient, message.content])).toEqual([
    ['bob', 'to bob'],
    ['dora', 'to dora'],
  ]);
});
