// The fresh process of the recovery row: opens the counter of a room once, and says as JSON what that took. Its arguments
// are the built library's directory and the room's.
import { makeCounter } from '../counter.ts';
import { loadBuilt } from '../load-built.ts';

const [dist = '', directory = ''] = process.argv.slice(2);
const { library, workflows } = await loadBuilt(dist);
const machine = makeCounter(workflows);
const room = await library.openRoom({ directory, durability: 'process' });
const host = new workflows.WorkflowHost(room);

const before = measured();
const start = process.hrtime.bigint();
// Whoever made the journal still runs, and so its card does.
await host.run(machine, { takeOver: true });
const openNs = Number(process.hrtime.bigint() - start);
const after = measured();
await host.close();
await room.close();
console.log(
  JSON.stringify({ openNs, heapBytes: after.heapBytes - before.heapBytes, rssBytes: after.rssBytes - before.rssBytes }),
);

function measured(): { heapBytes: number; rssBytes: number } {
  const rssBytes = process.memoryUsage.rss();
  globalThis.gc?.();
  return { heapBytes: process.memoryUsage().heapUsed, rssBytes };
}
