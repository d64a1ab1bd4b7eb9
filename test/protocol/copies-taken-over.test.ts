/**
 * Root cause: a reader that took a claim over also yielded to a copy with a smaller claim. Two readers that took over
 * the two copies of one message at the same time each saw the other's, and both dropped theirs.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { initRoom, openRoom } from '../../src/index.ts';
import { nodeHost, type FileSystem, type Host } from '../../src/runtime.ts';
import type { Claim } from '../../src/mailbox/claim.ts';
import { drain } from '../../src/mailbox/drain.ts';
import type { Mailbox } from '../../src/mailbox/mailbox.ts';
import { mailboxOf } from '../../src/room/context.ts';
import { contextOf } from '../../src/room/room.ts';

let directory: string;
let root: string;
let message: { readonly name: string; readonly bytes: Buffer };

beforeAll(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-copies-'));
  root = path.join(directory, 'room');
  fs.mkdirSync(root);
  await initRoom({ cwd: root });
  await using room = await openRoom({ cwd: root, durability: 'process' });
  const alice = await room.join('alice');
  await room.join('bob');
  await alice.send({ to: 'bob', type: 'INFO', content: 'twice' });
  const name = fs.readdirSync(inMailbox('new'))[0] ?? '';
  message = { name, bytes: fs.readFileSync(inMailbox('new', name)) };
});
afterAll(() => fs.rmSync(directory, { recursive: true, force: true }));

test.each([
  { copies: 'both claims expired', cur: [',1,1', ',1,2'], isNew: false },
  { copies: 'one claim expired, one just delivered', cur: [',1,1'], isNew: true },
  { copies: 'one put back, one expired, one just delivered', cur: [',0,0', ',1,2'], isNew: true },
  { copies: 'three claims released', cur: [',1,0', ',2,0', ',3,0'], isNew: false },
])(
  'of several copies, at least one is acted on, wherever a second reader comes in: $copies',
  async ({ cur, isNew }) => {
    let schedules = 0;
    for (let step = 1; ; step++) {
      layOut({ cur, isNew });
      const second: { mailbox: Mailbox; held: Claim[] } = { mailbox: await reader(nodeHost), held: [] };
      const comesIn = { step, work: () => (second.held = [...drain(second.mailbox, { leaseMs: 120_000 })]) };
      const first = await interruptedReader(comesIn);
      const held = [...drain(first.mailbox, { leaseMs: 60_000 })];
      if (!first.cameIn()) break;
      schedules += 1;
      held.push(...second.held);
      expect(held.length, `the second reader at call ${step}`).toBeGreaterThan(0);
      expect(fs.readdirSync(inMailbox('cur')).length, `claims after call ${step}`).toBeGreaterThan(0);
      expect(fs.readdirSync(inMailbox('dead')), `dead after call ${step}`).toEqual(['refused']);
    }
    expect(schedules).toBeGreaterThan(10);
    console.log(`a second reader of ${cur.length + Number(isNew)} copies: ${schedules} schedules`);
  },
);

function inMailbox(...parts: string[]): string {
  return path.join(root, '.mailroom', 'actors', 'bob', 'mailbox', ...parts);
}

function layOut({ cur, isNew }: { cur: readonly string[]; isNew: boolean }): void {
  for (const part of ['new', 'cur']) {
    for (const name of fs.readdirSync(inMailbox(part))) fs.unlinkSync(inMailbox(part, name));
  }
  for (const claim of cur) fs.writeFileSync(inMailbox('cur', `${message.name}${claim}`), message.bytes);
  if (isNew) fs.writeFileSync(inMailbox('new', message.name), message.bytes);
}

async function reader(host: Host): Promise<Mailbox> {
  const room = await openRoom({ cwd: root, host });
  const mailbox = mailboxOf(contextOf(room), 'bob');
  if (!mailbox) throw new Error('bob has no mailbox');
  return mailbox;
}

/** A reader during which another reader's work is done completely just before its numbered call of the file system. */
async function interruptedReader(comesIn: { step: number; work: () => void }) {
  let calls = 0;
  let isArmed = false;
  const files: FileSystem = new Proxy(nodeHost.files, {
    get: (target, method: keyof FileSystem) => {
      const perform = target[method] as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        if (isArmed) calls += 1;
        if (isArmed && calls === comesIn.step) comesIn.work();
        return perform.apply(target, args);
      };
    },
  });
  const mailbox = await reader({ ...nodeHost, files });
  isArmed = true;
  return { mailbox, cameIn: () => calls >= comesIn.step };
}
