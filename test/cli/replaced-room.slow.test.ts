// `rm -rf .mailroom && mailroom init` while processes of the old room ran: they refused the mail of the new one for good.
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openRoom } from '../../src/index.ts';
import { actorLayout, roomLayout } from '../../src/message/layout.ts';
import { until } from '../hostile/until.ts';
import { createProject, GREETER } from '../runtime/cli-machines.ts';
import type { CliRoom } from './cli-room.ts';

const MESSAGES_EACH = 500;
/** Each waits in a room, by itself and without end; behind it what says that it has begun. */
const WAITING: readonly (readonly [words: readonly string[], begun: RegExp])[] = [
  [['run', 'greeter.mjs'], /→ waiting/],
  [['agent', 'counter', '--exec', 'wc -w'], /counter answers mail/],
  [['--as', 'bob', 'read', '--wait', '1h'], /^/],
  [['--as', 'alice', 'watch'], /^/],
  [['watch', '--all'], /^/],
  [['log', '--follow'], /joined/],
];

const started = new Set<ChildProcess>();
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  started.clear();
});

interface Waiting {
  readonly words: string;
  readonly told: () => string;
  readonly ended: Promise<number | null>;
}

async function startAll(room: CliRoom): Promise<Waiting[]> {
  const all = WAITING.map(([words, begun]) => {
    const child = spawn(path.join(room.bin, 'mailroom'), words, {
      cwd: room.directory,
      env: { ...room.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started.add(child);
    let told = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (told += text));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    return { words: words.join(' '), begun, told: () => told, ended };
  });
  for (const { words, begun, told } of all) await until(`${words} has begun`, () => begun.test(told()));
  // Of those that say nothing: bob and alice have looked at their mailboxes, and whoever lists all has shown this by then.
  const seen = (address: string): string => actorLayout(roomLayout(room.room), address).seen;
  const beganMs = Date.now();
  fs.utimesSync(seen('bob'), 0, 0);
  await until('bob looks', () => fs.statSync(seen('bob')).mtimeMs > 0 || Date.now() - beganMs > 5_000);
  await room.run(['send', 'alice', 'INFO', 'are you there'], { as: 'bob' });
  for (const { words, told } of all.filter((one) => one.words.endsWith('watch') || one.words.endsWith('--all'))) {
    await until(`${words} shows it`, () => told().includes('are you there'));
  }
  return all;
}

const endingOf = async ({ words, ended, told }: Waiting): Promise<[string, number | null, string]> => {
  let hasEnded = false;
  void ended.then(() => (hasEnded = true));
  await until(
    () => `${words} ends; it told ${told()}`,
    () => hasEnded,
  );
  const code = await ended;
  return [words, code, told()];
};

test('a room that is removed and made anew keeps all its mail, and whoever was in the old one says so and leaves', async () => {
  using room = await createProject({ 'greeter.mjs': GREETER });
  const waiting = await startAll(room);
  const limits = JSON.stringify({ rateLimit: 100_000 });
  // What is put there meanwhile can keep a directory from being removed.
  const made = await room.shell('until rm -rf .mailroom; do :; done; mailroom init');
  expect(made.code).toBe(0);
  const { config } = roomLayout(room.room);
  fs.writeFileSync(config, fs.readFileSync(config, 'utf8').replace(/"limits": \{\}/, `"limits": ${limits}`));
  await using next = await openRoom({ directory: room.room, durability: 'process', nudge: () => {} });
  const sender = await next.join('sender');
  const addresses = ['greeter', 'counter', 'bob', 'alice'];
  for (const address of addresses) await next.join(address);
  for (let n = 0; n < MESSAGES_EACH; n++) {
    for (const to of addresses) await sender.send({ to, type: 'INFO', content: `${n}` });
  }
  for (const one of waiting) {
    const [words, code, told] = await endingOf(one);
    // A host that writes down how far it is while the old room is being removed finds its journal gone.
    if (words.startsWith('run') && told.includes('was removed or replaced while it was in use')) continue;
    expect([words, code], told).toEqual([words, 3]);
    // Whoever looks between the two finds none.
    expect(told).toMatch(/he room \S+ (?:is gone|was replaced)/);
    expect(told).toMatch(/join it first: mailroom join <address>|make a new one (?:there|with): mailroom init/);
  }
  for (const address of addresses) {
    expect(next.agent(address).list(), address).toMatchObject({ unsettled: { length: MESSAGES_EACH }, unfit: 0 });
    expect(fs.readdirSync(actorLayout(roomLayout(room.room), address).mailbox.dead)).toEqual(['refused']);
  }
});

test('a project that is moved away ends whoever waits in its room, with the path that was', async () => {
  using room = await createProject({ 'greeter.mjs': GREETER });
  const waiting = await startAll(room);
  fs.renameSync(room.directory, `${room.directory}-moved`);
  for (const one of waiting) {
    const [words, code, told] = await endingOf(one);
    expect([words, code], told).toEqual([words, 3]);
    expect(told).toMatch(new RegExp(`${room.room} is gone`));
  }
  expect(fs.existsSync(room.directory)).toBe(false);
});
