import fs from 'node:fs';
import { expect, test } from 'vitest';
import { envelope, idAt, sealed } from '../../fixtures/zoo/forge.ts';
import { putDevice, things } from '../../fixtures/zoo/things.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { openRoom } from '../../src/index.ts';
import { countCalls } from '../faults/faulty-files.ts';
import { countBy, logged, openZoo, readAll, refusedIn, type ZooRoom } from './zoo-room.ts';

const BAD_NAME = 'the file name is not <id>.<sender>.json';

/** Names that are not message names, whatever the file holds. */
const FOREIGN_NAMES = [
  'x'.repeat(255),
  `${'y'.repeat(250)}.json`,
  'é'.repeat(127),
  '-rf',
  '...',
  '.hidden',
  'a b\tc',
  'line\nfeed.json',
  '\u001b]0;title\u0007.json',
  '\u202egnp.json',
  `${idAt(Date.now())}.json`,
  `${idAt(Date.now()).toUpperCase()}.alice.json`,
  '01890000-0000-4000-8000-000000000000.alice.json',
  `${idAt(Date.now())}.Alice.json`,
  `${idAt(Date.now())}..json`,
  `${idAt(Date.now())}.a..b.json`,
  `${idAt(Date.now())}.${'a'.repeat(121)}.json`,
  `${idAt(Date.now())}.alice.json,1,0`,
  `${idAt(Date.now())}.alice.JSON`,
];

test('whatever is in new, the good mail between it arrives from the first listing, and the rest is put aside', async () => {
  await using zoo = await openZoo();
  const good = await zoo.alice.send({ to: 'bob', type: 'INFO', content: 'first' });
  const expected = await fillNew(zoo);
  const last = await zoo.alice.send({ to: 'bob', type: 'INFO', content: 'last' });

  const counted = countCalls(nodeHost.files);
  const host = { ...nodeHost, files: counted.files };
  await using reader = await openRoom({ directory: zoo.directory, host });
  const listingsAt: number[] = [];
  const messages = await readAll(reader.agent('bob'), () => listingsAt.push(listings(counted.steps, zoo)));

  expect(messages.map(({ id }) => id)).toEqual([good.id, last.id]);
  expect(listingsAt).toEqual([1, 1]);
  const refused = refusedIn(zoo.mailbox);
  expect(Object.fromEntries([...refused].map(([name, { reason, detail }]) => [name, `${reason}: ${detail}`]))).toEqual(
    Object.fromEntries(expected),
  );
  expect(logged(zoo.directory, 'refused')).toHaveLength(expected.size);
  expect(fs.readdirSync(zoo.mailbox.new)).toEqual([]);
  console.log(`refused: ${JSON.stringify(countBy([...refused.values()].map(({ reason }) => reason)))}`);
});

/** Puts the zoo into `new` and returns the expected fate of each file. */
async function fillNew(zoo: ZooRoom): Promise<Map<string, string>> {
  const expected = new Map<string, string>();
  const at = (name: string): string => `${zoo.mailbox.new}/${name}`;
  const goodId = idAt(Date.now());
  const good = `${zoo.base}/good`;
  fs.writeFileSync(
    good,
    sealed(zoo.forge, { from: 'alice', signed: JSON.stringify(envelope(zoo.forge, { id: goodId })) }),
  );
  for (const thing of things({ good })) {
    const { kind, detail } = thing;
    const named = `${kind === 'link-to-good' ? goodId : idAt(Date.now())}.alice.json`;
    await thing.put(at(kind));
    await thing.put(at(named));
    expected.set(kind, `bad-name: ${BAD_NAME}`).set(named, `unreadable: ${detail}`);
  }
  for (const name of FOREIGN_NAMES) {
    fs.copyFileSync(good, at(name));
    expected.set(name, `bad-name: ${BAD_NAME}`);
  }
  const device = `${idAt(Date.now())}.alice.json`;
  if (putDevice(at(device))) expected.set(device, 'unreadable: it is not a regular file (device)');
  const locked = `${idAt(Date.now())}.alice.json`;
  if (process.getuid?.() !== 0) {
    fs.writeFileSync(at(locked), 'x', { mode: 0 });
    expected.set(locked, 'unreadable: it cannot be opened (EACCES)');
  }
  return expected;
}

function listings(steps: readonly string[], zoo: ZooRoom): number {
  return steps.filter((step) => step === `readdir ${zoo.mailbox.new}`).length;
}
