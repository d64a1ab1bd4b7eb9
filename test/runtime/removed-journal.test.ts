// A host held its journal open and went on committing into it after it was removed: it answered, and lost those steps at its
// restart. In a room that was put in place of the old one, it put all mail aside as nobody's.
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { initRoom, openRoom } from '../../src/index.ts';
import { actorLayout, roomLayout } from '../../src/message/layout.ts';
import { counter } from './machines.ts';
import { eventually, texts, WorkflowRoom } from './workflow-room.ts';

const note = (n: number) => ({ to: 'counter', type: 'NOTE', content: 'x', data: { n } });
const journalOf = (room: WorkflowRoom): string => actorLayout(roomLayout(room.directory), 'counter').journal;

const WAYS: Readonly<Record<string, (journal: string) => void>> = {
  removed: (journal) => fs.rmSync(journal, { recursive: true }),
  'moved aside': (journal) => fs.renameSync(journal, `${journal}.aside`),
  'replaced by an equal copy': (journal) => {
    const file = path.join(journal, '1.jsonl');
    fs.copyFileSync(file, `${file}~`);
    fs.renameSync(`${file}~`, file);
  },
};

test.each(['process', 'power'] as const)(
  'a journal that is not the one at its path ends its host, %s',
  async (durability) => {
    for (const [way, spoil] of Object.entries(WAYS)) {
      await using room = await WorkflowRoom.make({ durability });
      const alice = await (await room.open()).join('alice');
      const { host, workflow } = await room.run(counter);
      await alice.send(note(1));
      await eventually('it answers', () => texts(alice).length === 1);
      spoil(journalOf(room));
      await alice.send(note(2));
      await expect(workflow.result, way).rejects.toMatchObject({
        code: 'CHAIN_DAMAGED',
        message: expect.stringMatching(/journal.*was removed or replaced while it was in use/),
      });
      await host.close();
      expect(texts(alice), way).toHaveLength(1);
    }
  },
);

test('a host closes when another room replaces its own, and the other room keeps its mail', async () => {
  await using room = await WorkflowRoom.make();
  const { host, workflow } = await room.run(counter);
  await eventually('it has begun', () => room.state('counter')?.state);
  const base = path.dirname(room.directory);
  fs.rmSync(room.directory, { recursive: true });
  await initRoom({ cwd: base, limits: { rateLimit: 10_000 } });
  await using next = await openRoom({ directory: room.directory, durability: 'process', nudge: () => {} });
  const alice = await next.join('alice');
  await next.join('counter', { accepts: ['NOTE'] });
  for (let n = 0; n < 100; n++) await alice.send(note(n));
  await expect(workflow.result).rejects.toMatchObject({ code: 'ROOM_REPLACED' });
  await host.close();
  expect(next.agent('counter').list()).toMatchObject({ unsettled: { length: 100 }, more: 0, unfit: 0 });
  expect(fs.existsSync(journalOf(room))).toBe(false);
});
