// The other process of the wake-up row: does what its parent asks, and says when it made each name appear.
// Plain JavaScript on the built library, whose directory is its argument.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

const [dist = ''] = process.argv.slice(2);
const load = (/** @type {string} */ name) => import(pathToFileURL(path.join(dist, name)).href);
const { openRoom } = await load('index.js');
const { nodeHost } = await load('runtime.js');

/** Name and monotonic time (ns) of each link, taken right before it. @type {[string, number][]} */
let stamps = [];
const link = (/** @type {string} */ existing, /** @type {string} */ created) => {
  stamps.push([path.basename(created), Number(process.hrtime.bigint())]);
  fs.linkSync(existing, created);
};
const host = { ...nodeHost, files: { ...nodeHost.files, link } };

process.on(
  'message',
  async (/** @type {{ kind: string, directory: string, count: number, gapMs: number }} */ asked) => {
    const { kind, directory, count, gapMs } = asked;
    stamps = [];
    if (kind === 'end') {
      process.disconnect();
      return;
    }
    if (kind === 'files') await makeFiles(directory, count, gapMs);
    else await sendMessages(directory, count, gapMs);
    process.send?.({ kind: 'done', stamps: gapMs > 0 ? stamps : [] });
  },
);
process.send?.({ kind: 'ready' });

async function makeFiles(/** @type {string} */ directory, /** @type {number} */ count, /** @type {number} */ gapMs) {
  for (let index = 0; index < count; index++) {
    const staged = path.join(directory, 'tmp', String(index));
    fs.writeFileSync(staged, 'x'.repeat(600));
    link(staged, path.join(directory, 'new', `${Date.now()}-${index}`));
    fs.unlinkSync(staged);
    await sleep(gapMs);
  }
}

async function sendMessages(/** @type {string} */ directory, /** @type {number} */ count, /** @type {number} */ gapMs) {
  const room = await openRoom({ directory, host, durability: 'process' });
  const alice = room.agent('alice');
  for (let index = 0; index < count; index++) {
    await alice.send({ to: 'bob', type: 'INFO', content: 'Wake up.' });
    if (index === 0) process.send?.({ kind: 'started' });
    if (gapMs > 0) await sleep(gapMs);
  }
  await room.close();
}
