// Prints, as JSON, which modules of a built tree run code during one steady send, and during one send that a workflow
// steps on and replies to: `node .ci/visited-files.mjs <tree>`, where <tree>/build holds one file for each module of src.
//
// A module counts when at least one of its functions ran between the call and its end, by V8's precise coverage. Only
// modules of <tree>/build count, no dependency. Room, agents and workflow are warm: opening, joining and first sends are
// over. The first exchange ends when `send` resolves; the second when the reply lies in the sender's mailbox and the
// workflow is idle again. Each is measured several times, and a module counts when it ran in at least half of them, so
// that a timer that happens to fire in one of them adds nothing.
import fs from 'node:fs';
import { Session } from 'node:inspector/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setup } from 'xstate';
import { z } from 'zod';

const WARM_UP_COUNT = 30;
const MEASURED_COUNT = 5;
const POLL_MS = 5;
const REPLY_MS_MAX = 10_000;
/** What the run before has left to do, such as a nudge, is done after this. */
const PAUSE_MS = 100;

const [tree] = process.argv.slice(2);
if (tree === undefined) throw new Error('Name the tree to measure: node .ci/visited-files.mjs <tree>');
const build = path.resolve(tree, 'build');
const load = (/** @type {string} */ name) => import(pathToFileURL(path.join(build, name)).href);
const { initRoom, openRoom } = await load('index.js');
const { WorkflowHost } = await load('runtime.js');
const { accepts, reply } = await load('workflow.js');

const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-visits-'));
const session = new Session();
session.connect();
try {
  const { directory } = await initRoom({ cwd, limits: { rateLimit: 100_000 } });
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const send = await visitsOfSend(directory);
  const exchange = await visitsOfExchange(directory);
  console.log(JSON.stringify({ send, exchange }));
} finally {
  session.disconnect();
  fs.rmSync(cwd, { recursive: true, force: true });
}

/** @param {string} directory */
async function visitsOfSend(directory) {
  const room = await openRoom({ directory });
  try {
    const alice = await room.join('alice');
    await room.join('bob');
    return await visits(() => alice.send({ to: 'bob', type: 'INFO', content: 'steady' }));
  } finally {
    await room.close();
  }
}

/** @param {string} directory */
async function visitsOfExchange(directory) {
  const room = await openRoom({ directory });
  const hostRoom = await openRoom({ directory });
  const host = new WorkflowHost(hostRoom);
  try {
    const carol = await room.join('carol');
    const { result } = await host.run(makeCounter());
    const ended = result.then((/** @type {unknown} */ how) => {
      throw new Error(`the workflow ended: ${JSON.stringify(how)}`);
    });
    ended.catch(() => {});
    const replies = path.join(directory, 'actors/carol/mailbox/new');
    const handled = path.join(directory, 'actors/counter/mailbox/done');
    let sent = 0;
    return await visits(async () => {
      sent += 1;
      await carol.send({ to: 'counter', type: 'WORK', content: 'steady', data: {} });
      await Promise.race([ended, until(() => filesBelow(replies) >= sent && filesBelow(handled) >= sent)]);
    });
  } finally {
    await host.close();
    await hostRoom.close();
    await room.close();
  }
}

function makeCounter() {
  const answer = reply({ type: 'INFO', content: 'counted' });
  return setup({ schemas: accepts({ WORK: z.object({}) }) }).createMachine({
    id: 'counter',
    initial: 'even',
    states: {
      even: { on: { WORK: { target: 'odd', actions: answer } } },
      odd: { on: { WORK: { target: 'even', actions: answer } } },
    },
  });
}

/**
 * The modules, by their path below `build`, that ran in at least half of the measured runs of the work.
 * @param {() => Promise<unknown>} work
 */
async function visits(work) {
  for (let done = 0; done < WARM_UP_COUNT; done++) await work();
  /** @type {Map<string, number>} */
  const runs = new Map();
  for (let done = 0; done < MEASURED_COUNT; done++) {
    await sleep(PAUSE_MS);
    await take();
    await work();
    for (const module of await take()) runs.set(module, (runs.get(module) ?? 0) + 1);
  }
  return [...runs].flatMap(([module, count]) => (count * 2 > MEASURED_COUNT ? [module] : [])).toSorted();
}

/** Own modules in which a function ran since the last take; sets the counters to zero. */
async function take() {
  const { result } = await session.post('Profiler.takePreciseCoverage');
  return result.flatMap(({ url, functions }) => {
    if (!url.startsWith('file:')) return [];
    const module = path.relative(build, fileURLToPath(url)).split(path.sep).join('/');
    const hasRun = functions.some(({ ranges }) => (ranges[0]?.count ?? 0) > 0);
    return hasRun && !module.startsWith('..') && !module.startsWith('fixtures/') ? [module] : [];
  });
}

/** @param {string} directory */
function filesBelow(directory) {
  if (!fs.existsSync(directory)) return 0;
  return fs.readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
}

/** @param {() => boolean} isTrue */
async function until(isTrue) {
  const end = Date.now() + REPLY_MS_MAX;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error(`no reply within ${REPLY_MS_MAX} ms`);
    await sleep(POLL_MS);
  }
}
