import fs from 'node:fs';
import { expect } from 'vitest';
import { openRoom } from '../../src/room/room.ts';
import { dayOfId } from '../../src/message/message-id.ts';
import { healthyHost, look } from './look.ts';
import { idAt, makeRoom, sendBoth } from './prepared.ts';
import type { Checked, Scenario } from './scenario.ts';

const FIRST = Date.UTC(2024, 0, 1);
const DAY_MS = 86_400_000;
const PURGED = [idAt(FIRST)];
/** Two messages of each of two days. */
const OLD = [1, 2].flatMap((day) => [1, 2].map((n) => idAt(FIRST + day * DAY_MS, n)));

export const purgeScenario: Scenario = {
  title: 'purge',
  operation: 'purge',
  prepare: (directory) =>
    makeRoom(directory, {}, async (room) => {
      const acknowledge = async (ids: readonly string[]): Promise<void> => {
        for (const id of ids) await room.agent('alice').send({ to: 'bob', type: 'INFO', content: `old ${id}`, id });
        for await (const mail of room.agent('bob').inbox({ wait: false })) await mail.ack();
      };
      await acknowledge(PURGED);
      await room.agent('bob').purge();
      await acknowledge(OLD);
      await sendBoth(room);
    }),
  subject: { from: 'new', to: 'new' },
  check: expectPurged,
};

async function expectPurged({ directory, phase, hasSucceeded }: Checked): Promise<void> {
  const through = fs.readFileSync(`${directory}/actors/bob/mailbox/purged-through`, 'utf8').trim();
  expect(through).toMatch(/^\d{4}-\d\d-\d\d$/);
  expect(through >= dayOfId(PURGED[0] ?? ''), 'what was purged through went back').toBe(true);
  const left = (await look(directory)).filter(({ content }) => content.startsWith('old'));
  const gone = OLD.filter((id) => !left.some((copy) => copy.id === id));
  for (const id of gone) expect(through >= dayOfId(id), `${id} is gone and could be sent again`).toBe(true);
  if (phase === 'cut off' && !hasSucceeded) return;
  expect(left).toEqual([]);
  await using room = await openRoom({ directory, host: healthyHost });
  for (const id of [...PURGED, ...OLD]) {
    const again = room.agent('alice').send({ to: 'bob', type: 'INFO', content: `old ${id}`, id });
    await expect(again).rejects.toMatchObject({ code: 'MESSAGE_REFUSED', reason: 'purged' });
  }
}
