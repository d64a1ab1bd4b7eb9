import fs from 'node:fs';
import { expect } from 'vitest';
import { contextOf, openRoom } from '../../src/room/room.ts';
import { rotatedLogs } from '../../src/log/read-log.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { bobs, forge, idAt, makeRoom, plant, sendBoth, sendOther, setClaim, ALIVE, DEAD } from './prepared.ts';
import { filesBelow, FORGED, healthyHost, look } from './look.ts';
import { purgeScenario } from './purge-scenario.ts';
import type { Checked, Scenario } from './scenario.ts';

const GIVEN_ID = idAt(Date.UTC(2026, 0, 1));
const DAY_MS = 86_400_000;

const send = { operation: 'send', prepare: (room: string) => makeRoom(room, {}, sendOther) } as const;
const toNew = { from: 'nowhere', to: 'new' } as const;

const sending: Scenario[] = [
  {
    title: 'send, surviving power loss',
    ...send,
    args: { durability: 'power' },
    subject: { ...toNew, isNewEachTime: true },
  },
  { title: 'send', ...send, subject: { ...toNew, isNewEachTime: true } },
  {
    title: 'send with an id, surviving power loss',
    ...send,
    args: { durability: 'power', id: GIVEN_ID },
    subject: toNew,
  },
  { title: 'send with an id', ...send, args: { id: GIVEN_ID }, subject: toNew },
  {
    title: 'send again what still waits',
    operation: 'send',
    args: { id: GIVEN_ID, durability: 'power' },
    prepare: (directory) => makeRoom(directory, {}, (room) => sendBoth(room, { id: GIVEN_ID })),
    subject: { from: 'new', to: 'new' },
  },
  {
    title: 'send again what is claimed',
    operation: 'send',
    args: { id: GIVEN_ID },
    prepare: (directory) =>
      makeRoom(directory, {}, async (room) => {
        await sendBoth(room, { id: GIVEN_ID });
        await claimSubject(room);
      }),
    subject: { from: 'held', to: 'held' },
  },
  {
    title: 'send again what was acknowledged',
    operation: 'send',
    args: { id: GIVEN_ID },
    prepare: (directory) =>
      makeRoom(directory, {}, async (room) => {
        await sendBoth(room, { id: GIVEN_ID });
        await (await claimSubject(room)).ack();
      }),
    subject: { from: 'done', to: 'done' },
  },
  {
    title: 'send with an id whose name is taken by a forgery',
    operation: 'send',
    args: { id: GIVEN_ID },
    prepare: (directory) =>
      makeRoom(directory, {}, async (room) => {
        await sendOther(room);
        fs.writeFileSync(`${bobs(room).layout.new}/${GIVEN_ID}.alice.json`, FORGED);
      }),
    subject: toNew,
    check: (run) => expectRefused(run, 1),
  },
  {
    title: 'broadcast to 3',
    operation: 'broadcast',
    args: { id: GIVEN_ID, durability: 'power' },
    prepare: (directory) =>
      makeRoom(directory, { joined: { alice: DEAD, bob: DEAD, carol: DEAD, dave: DEAD } }, sendOther),
    subject: { ...toNew, recipients: ['bob', 'carol', 'dave'] },
  },
  {
    title: 'send, setting the log aside',
    operation: 'send',
    args: { id: GIVEN_ID },
    prepare: (directory) => makeRoom(directory, { limits: { logBytesMax: 1, logFilesKept: 2 } }, sendOther),
    subject: toNew,
    check: expectWholeLogs,
  },
  {
    title: 'send, sealing the counter',
    operation: 'send',
    args: { id: GIVEN_ID },
    prepare: (directory) =>
      makeRoom(directory, { limits: { rateLimit: 2, rateWindowMs: 1, rateSegmentBytesMax: 1 } }, async (room) => {
        await sendOther(room);
        await fillCounter(room);
      }),
    subject: toNew,
  },
];

const claiming: Scenario[] = [
  {
    title: 'claim',
    operation: 'claim',
    prepare: (directory) => makeRoom(directory, {}, sendBoth),
    subject: { from: 'new', to: 'held' },
  },
  {
    title: 'take over',
    operation: 'claim',
    prepare: (directory) =>
      makeRoom(directory, {}, async (room) => {
        await sendBoth(room);
        await claimSubject(room);
        setClaim(room, { attempt: 1, untilMs: 1000 });
      }),
    subject: { from: 'open', to: 'held' },
  },
  {
    title: 'claim a copy of what was acknowledged',
    operation: 'read',
    prepare: (directory) =>
      makeRoom(directory, {}, async (room) => {
        await sendBoth(room, { id: GIVEN_ID });
        await (await claimSubject(room)).ack();
        plant(room, { id: GIVEN_ID, content: 'subject' });
      }),
    subject: { from: 'done', to: 'done', between: ['held'], hasCopy: true },
  },
  {
    title: 'refuse another message under the same id',
    operation: 'read',
    prepare: (directory) =>
      makeRoom(directory, {}, async (room) => {
        await sendBoth(room, { id: GIVEN_ID });
        await (await claimSubject(room)).ack();
        plant(room, { id: GIVEN_ID, content: 'impostor' });
      }),
    subject: { from: 'done', to: 'done' },
    check: (run) => expectRefused(run, 1),
  },
  {
    title: 'refuse a forgery',
    operation: 'read',
    prepare: (directory) =>
      makeRoom(directory, {}, async (room) => {
        forge(room);
        await sendBoth(room);
      }),
    subject: { from: 'new', to: 'held' },
    check: (run) => expectRefused(run, 1),
  },
  {
    title: 'give up after too many attempts',
    operation: 'read',
    prepare: (directory) =>
      makeRoom(directory, {}, async (room) => {
        await sendBoth(room);
        await claimSubject(room);
        setClaim(room, { attempt: 5, untilMs: 1000 });
      }),
    subject: { from: 'open', to: 'dead', between: ['held'] },
  },
  {
    title: 'give up what has expired',
    operation: 'read',
    prepare: (directory) =>
      makeRoom(directory, {}, (room) => sendBoth(room, { id: idAt(Date.now() - DAY_MS), expiresInMs: 1 })),
    subject: { from: 'new', to: 'dead', between: ['held', 'open'] },
  },
];

const holding: Scenario[] = (
  [
    { title: 'acknowledge', to: 'done' },
    { title: 'release', to: 'open' },
    { title: 'renew', to: 'held' },
    { title: 'reject', to: 'dead' },
  ] as const
).map(({ title, to }) => ({
  title,
  operation: title,
  prepare: (directory) =>
    makeRoom(directory, {}, async (room) => {
      await sendBoth(room);
      await claimSubject(room);
    }),
  subject: { from: 'held', to },
}));

const replying = (['power', 'process'] as const).map((durability): Scenario => ({
  title: `reply, surviving ${durability === 'power' ? 'power loss' : 'a kill'}`,
  operation: 'reply',
  args: { id: GIVEN_ID, durability },
  prepare: (directory) =>
    makeRoom(directory, {}, async (room) => {
      await sendBoth(room, { id: GIVEN_ID });
      await claimSubject(room);
    }),
  subject: { from: 'held', to: 'done' },
  check: expectOneAnswer,
}));

const keeping: Scenario[] = [
  {
    title: 'retry a dead letter',
    operation: 'retry dead',
    prepare: (directory) =>
      makeRoom(directory, {}, async (room) => {
        await sendBoth(room);
        await (await claimSubject(room)).reject('it makes no sense');
      }),
    subject: { from: 'dead', to: 'open' },
  },
  {
    title: 'sweep',
    operation: 'sweep',
    prepare: (directory) =>
      makeRoom(directory, {}, async (room) => {
        await sendBoth(room);
        for (const name of ['a', 'b']) {
          const file = `${bobs(room).layout.tmp}/${name}`;
          fs.writeFileSync(file, 'cut o');
          fs.utimesSync(file, 1, 1);
        }
      }),
    subject: { from: 'new', to: 'new' },
    check: ({ directory, phase }) => {
      const left = fs.readdirSync(`${directory}/actors/bob/mailbox/tmp`).filter((name) => name.length === 1);
      if (phase !== 'cut off') expect(left).toEqual([]);
    },
  },
  purgeScenario,
];

const joining: Scenario[] = [
  {
    title: 'open',
    operation: 'open',
    prepare: (directory) => makeRoom(directory, {}, sendBoth),
    subject: { from: 'new', to: 'new' },
  },
  { title: 'init', operation: 'init', prepare: async () => {} },
  { title: 'init with Ed25519', operation: 'init', args: { algorithm: 'ed25519' }, prepare: async () => {} },
  {
    title: 'join',
    operation: 'join',
    prepare: (room) => makeRoom(room, { joined: { bob: DEAD, carol: DEAD } }, sendOther),
    check: expectAlice,
  },
  {
    title: 'join with Ed25519',
    operation: 'join',
    prepare: (room) => makeRoom(room, { algorithm: 'ed25519', joined: { bob: DEAD, carol: DEAD } }, sendOther),
    check: expectAlice,
  },
  { title: 'join again', operation: 'join', prepare: (room) => withAliceBy(room, ALIVE), check: expectStillAlice },
  {
    title: 'join under the address of one that died',
    operation: 'join',
    prepare: (room) => withAliceBy(room, DEAD),
    check: expectStillAlice,
  },
  {
    title: 'join over a live one',
    operation: 'join',
    args: { takeOver: true },
    prepare: (room) => withAliceBy(room, nodeHost.processes.self()),
    check: expectStillAlice,
  },
  {
    title: 'leave',
    operation: 'leave',
    prepare: (directory) => makeRoom(directory, {}, sendOther),
    check: async (run) => {
      const card = await cardOfAlice(run);
      if (run.hasSucceeded || run.phase !== 'cut off') expect(card?.leftAt).toBeDefined();
      expect(card).toBeDefined();
    },
  },
];

export const SCENARIOS: readonly Scenario[] = [
  ...sending,
  ...claiming,
  ...holding,
  ...replying,
  ...keeping,
  ...joining,
];

async function claimSubject(room: Awaited<ReturnType<typeof openRoom>>) {
  for await (const mail of room.agent('bob').inbox({ wait: false })) return mail;
  throw new Error('nothing to claim');
}

/** A room whose alice joined as another process, with mail waiting for her. */
function withAliceBy(directory: string, process: typeof DEAD): Promise<void> {
  return makeRoom(directory, { joined: { alice: process, bob: DEAD, carol: DEAD } }, async (room) => {
    await sendOther(room);
    await room.agent('carol').send({ to: 'alice', type: 'INFO', content: 'other' });
  });
}

/** Sends until the next grant has to seal the file. */
async function fillCounter(room: Awaited<ReturnType<typeof openRoom>>): Promise<void> {
  const counter = `${room.directory}/actors/alice/rate.1`;
  const bytesMax = 480;
  while (!fs.existsSync(counter) || fs.statSync(counter).size < bytesMax) {
    await new Promise((resolve) => setTimeout(resolve, 3));
    await room.agent('alice').send({ to: 'carol', type: 'INFO', content: 'filling' });
  }
}

/** A reply that was killed and is repeated as it was typed has arrived once. */
async function expectOneAnswer({ directory, phase, hasSucceeded }: Checked): Promise<void> {
  const answers = (await look(directory)).filter(({ content }) => content === 'answer');
  if (phase !== 'cut off' || hasSucceeded) expect(answers, 'the answers that arrived').toHaveLength(1);
  expect(answers.length).toBeLessThanOrEqual(1);
}

function expectRefused({ directory, phase }: Checked, count: number): void {
  if (phase !== 'drained') return;
  const refused = Object.entries(filesBelow(`${directory}/actors/bob/mailbox/dead/refused`));
  const letters = refused.filter(([name]) => !name.endsWith('.why.json'));
  expect(letters).toHaveLength(count);
  for (const [name] of letters) {
    expect(JSON.parse(refused.find(([other]) => other === `${name}.why.json`)?.[1] ?? 'null')).toHaveProperty('reason');
  }
}

async function expectWholeLogs({ directory, phase }: Checked): Promise<void> {
  await using room = await openRoom({ directory, host: healthyHost });
  const logs = filesBelow(`${directory}/log`);
  if (phase !== 'cut off') expect(rotatedLogs(healthyHost, contextOf(room).layout).length).toBeLessThanOrEqual(2);
  // One record is cut where a write was short; the next one begins on a line of its own.
  const cut = Object.values(logs)
    .join('')
    .split('\n')
    .filter((line) => line !== '' && !isRecord(line));
  expect(cut.length, cut.join('\n')).toBeLessThanOrEqual(1);
}

function isRecord(line: string): boolean {
  try {
    return 'event' in (JSON.parse(line) as object);
  } catch {
    return false;
  }
}

async function cardOfAlice({ directory }: Checked) {
  await using room = await openRoom({ directory, host: healthyHost });
  return room.actors().find(({ card }) => card.address === 'alice')?.card;
}

async function expectAlice(run: Checked): Promise<void> {
  const card = await cardOfAlice(run);
  if (run.hasSucceeded || run.phase !== 'cut off') expect(card).toMatchObject({ program: 'again', process: ALIVE });
}

/** She had joined before, so whatever happened since, she is somebody, and her mail waits. */
async function expectStillAlice(run: Checked): Promise<void> {
  expect(await cardOfAlice(run), 'alice had joined, and nobody knows of it any more').toBeDefined();
  await expectAlice(run);
}
