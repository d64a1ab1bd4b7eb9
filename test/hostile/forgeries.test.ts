import fs from 'node:fs';
import { expect, test } from 'vitest';
import { forgeries } from '../../fixtures/zoo/forgeries.ts';
import { countBy, deadIn, logged, openZoo, readAll, refusedIn } from './zoo-room.ts';

test('each forgery is kept with its reason, no reader sees it, and the mail between them arrives', async () => {
  await using zoo = await openZoo();
  const all = forgeries(zoo.forge);
  const sent: string[] = [];
  for (const [index, { name, bytes }] of all.entries()) {
    fs.writeFileSync(`${zoo.mailbox.new}/${name}`, bytes, { flag: 'wx', mode: 0o400 });
    if (index % 10 === 0) sent.push((await zoo.alice.send({ to: 'bob', type: 'INFO', content: 'good' })).id);
  }
  const messages = await readAll(zoo.bob);
  expect(messages.map(({ id }) => id)).toEqual(sent);

  const kept = new Map([...refusedIn(zoo.mailbox), ...deadIn(zoo.mailbox)]);
  const reasons = all.map(({ title, name }) => [title, kept.get(name)?.reason]);
  expect(reasons).toEqual(all.map(({ title, reason }) => [title, reason]));
  expect(kept.size).toBe(all.length);
  const records = [...logged(zoo.directory, 'refused'), ...logged(zoo.directory, 'dead')];
  expect(countBy(records.map(({ outcome }) => String(outcome)))).toEqual(countBy(all.map(({ reason }) => reason)));
  expect(Object.prototype).not.toHaveProperty('to');
  console.log(
    `${all.length} forgeries among ${sent.length} good: ${JSON.stringify(countBy(all.map((f) => f.reason)))}`,
  );
});
