/**
 * Root cause: watching a room took one inotify watch for each message in it, and on macOS one open descriptor, of which
 * a process has 256. The poll interval is out of reach, so what is printed was printed because of a hint.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openRoom } from '../../src/index.ts';
import type { CliRoom } from '../cli/cli-room.ts';
import { createProject, GREETER } from '../runtime/cli-machines.ts';
import { until } from '../hostile/until.ts';

const MESSAGES = 4_000;
const ENDED = `
import { setup } from 'xstate';
export const machine = setup({}).createMachine({ id: 'ended', initial: 'over', output: 'done', states: { over: { type: 'final' } } });
`;
const HOUR_MS = 3_600_000;
const CHANGE_EVERY_MS = 500;
/** macOS's default limit of open files of a process. */
const DESCRIPTORS_MAX = 64;
/**
 * The directories of two agents and a workflow that may matter, and some more; messages are counted by the thousand.
 */
const WATCHES_MAX = 40;

let room: CliRoom;
beforeAll(async () => {
  room = await createProject({ 'greeter.mjs': GREETER, 'ended.mjs': ENDED }, { limits: { pollMs: HOUR_MS } });
  await using opened = await openRoom({ cwd: room.directory });
  const alice = opened.agent('alice');
  await alice.send({ to: 'bob', type: 'INFO', content: 'the first' });
  const mailbox = path.join(room.room, 'actors/bob/mailbox');
  const [first = ''] = fs.readdirSync(path.join(mailbox, 'new'));
  const day = new Date().toISOString().slice(0, 10);
  fs.mkdirSync(path.join(mailbox, 'done', day), { recursive: true });
  for (let count = 0; count < MESSAGES; count++) {
    // These have no valid signature, so readers skip them, which costs the least.
    const name = `${first.slice(0, 24)}${String(count).padStart(12, '0')}${first.slice(36)}`;
    fs.writeFileSync(path.join(mailbox, count % 2 === 0 ? 'new' : `done/${day}`, name), '');
  }
});
afterAll(() => room[Symbol.dispose]());

const started = new Set<ChildProcess>();
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  started.clear();
});

function start(...words: string[]): { pid: number; said: () => string } {
  const child = spawn(path.join(room.bin, 'mailroom'), words, { cwd: room.directory, env: room.env });
  started.add(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  if (child.pid === undefined) throw new Error('mailroom was not started');
  return { pid: child.pid, said: () => said };
}

interface Cost {
  readonly descriptors: number;
  /** The inode of each watched file or directory. */
  readonly watched: readonly number[];
}

/** What the kernel says about the open files of a process (proc(5), fdinfo). */
function costOf(pid: number): Cost {
  if (!fs.existsSync(`/proc/${pid}`)) return { descriptors: 0, watched: [] };
  const descriptors = fs.readdirSync(`/proc/${pid}/fd`);
  const watched = descriptors.flatMap((fd) => {
    let info = '';
    try {
      info = fs.readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8');
    } catch {
      // Closed since the listing.
    }
    return [...info.matchAll(/^inotify wd:\S+ ino:([0-9a-f]+) /gm)].map(([, inode = '']) => Number.parseInt(inode, 16));
  });
  return { descriptors: descriptors.length, watched };
}

const send = (to: string, type: string, content: string): Promise<unknown> =>
  room.run(['send', to, type, content], { as: 'alice' });

describe.runIf(process.platform === 'linux')(`beside ${MESSAGES} messages`, () => {
  let count = 0;
  const tellBob = (): Promise<unknown> => send('bob', 'INFO', `call ${count++}`);
  const arrivals = 'actors/bob/mailbox/new';

  it.each([
    { words: ['watch', '--as', 'bob', '--json'], of: arrivals, change: tellBob, tells: /"content":"call \d/ },
    { words: ['watch', '--all', '--json'], of: arrivals, change: tellBob, tells: /"content":"call \d/ },
    {
      words: ['log', '--follow', '--event', 'joined'],
      of: 'log',
      change: () => room.run(['join', `guest-${count++}`]),
      tells: /guest-\d/,
    },
    {
      words: ['inspect', '--jsonl', '--follow'],
      of: 'actors/bob',
      change: () => room.run(['run', 'ended.mjs', '--again']),
      tells: /"ended"/,
    },
    {
      words: ['run', 'greeter.mjs'],
      of: 'actors/greeter/mailbox/new',
      change: () => send('greeter', 'GO', 'on'),
      tells: /hello nobody/,
    },
  ])('$words costs a watch for some directories and none for a file', async ({ words, of, change, tells }) => {
    const { pid, said } = start(...words);
    let cost = costOf(pid);
    await until(
      () => `a watch of ${of}; it said ${said()}`,
      () => {
        cost = costOf(pid);
        const inode = fs.statSync(path.join(room.room, of), { throwIfNoEntry: false })?.ino;
        return inode !== undefined && cost.watched.includes(inode);
      },
    );
    // A watcher that has begun may still be reading existing files, so a first change may give no hint.
    let nextChangeMs = 0;
    await until(
      () => `${tells} in what it said: ${said()}`,
      () => {
        if (tells.test(said())) return true;
        const now = costOf(pid);
        if (now.watched.length > cost.watched.length) cost = now;
        if (performance.now() > nextChangeMs) {
          nextChangeMs = performance.now() + CHANGE_EVERY_MS;
          void change();
        }
        return false;
      },
    );
    console.log(`${words.join(' ')}: ${cost.watched.length} watches, ${cost.descriptors} descriptors`);
    expect(cost.watched.length).toBeLessThanOrEqual(WATCHES_MAX);
    expect(cost.descriptors).toBeLessThanOrEqual(DESCRIPTORS_MAX);
  });
});
