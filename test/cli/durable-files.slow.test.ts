/**
 * Root causes of what is tested here: `doctor` looked at permissions, the disk and how full mailboxes are, and at nothing that a
 * room keeps; so it called a room well whose counter or journal was damaged, and crashed where a directory was missing.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkFiles, DURABLE_FILES } from '../../src/cli/doctor/check-files.ts';
import type { DurableFile } from '../../src/cli/doctor/durable-file.ts';
import type { DoctorFinding } from '../../src/cli/doctor/finding.ts';
import { isMailroomError } from '../../src/errors.ts';
import { openRoom } from '../../src/index.ts';
import { contextOf } from '../../src/room/room.ts';
import { choice } from '../run/amount.ts';
import { createRandom } from '../run/seed.ts';
import { copyOf, DAMAGES, makeWholeRoom, type Algorithm, type Damage } from './damage.ts';

const HINTS_MAX = 5;
const COMMAND = /(?:^|: )((?:mailroom|rm|echo|truncate|chmod) .*)$/m;
const ALGORITHMS: readonly Algorithm[] = ['hmac-sha256', 'ed25519'];

const whole = new Map<Algorithm, string>();
beforeAll(async () => {
  for (const algorithm of ALGORITHMS) whole.set(algorithm, await makeWholeRoom(algorithm));
}, 60_000);
afterAll(() => {
  for (const base of whole.values()) fs.rmSync(base, { recursive: true, force: true });
});

/** What does no harm, so that there is nothing to find. */
const HARMLESS: Readonly<Record<string, readonly Damage[]>> = {
  // They are empty, and only their times matter; a missing one says never.
  'actors/<address>/seen': ['missing', 'empty', 'garbage'],
  'actors/<address>/nudged': ['missing', 'empty', 'garbage'],
  // A note that makes no sense is none.
  'actors/<address>/step': ['missing', 'empty', 'garbage'],
  // What a torn write leaves is passed over, and a chain may begin anew.
  'actors/<address>/rate.<n>': ['missing', 'empty', 'garbage'],
  'actors/<address>/journal/<first seq>.jsonl': ['missing', 'empty', 'garbage'],
  'actors/<address>/mailbox/purged-through': ['missing'],
  'actors/<address>/mailbox/purge-clock': ['missing'],
  'actors/<address>/mailbox/done/<day>/': ['missing'],
  'actors/<address>/mailbox/replies/': ['missing'],
  'actors/<address>/mailbox/replies/<day>/': ['missing'],
  'actors/<address>/mailbox/replies/<day>/<name>.<hash>.json': ['missing'],
  // A session that lost them starts anew, and is shown its mail again.
  'sessions/': ['missing'],
  'sessions/<session>/': ['missing'],
  'sessions/<session>/session.json': ['missing'],
  'sessions/<session>/shown/': ['missing'],
  'sessions/<session>/shown/<name>': ['missing'],
  'sessions/<session>/subagent': ['missing', 'empty', 'garbage'],
  'sessions/<session>/prompted': ['missing', 'empty', 'garbage'],
  'sessions/<session>/waiter.json': ['missing'],
  // Nobody reads it back.
  'log/agent_messages.log': ['missing', 'empty', 'garbage'],
  // Nobody who has none of them differs from one that lost them.
  'actors/<address>/': ['missing'],
  'actors/<address>/journal/': ['missing'],
  'actors/<address>/jobs/': ['missing'],
  'actors/<address>/jobs/<effect id>/': ['missing'],
  'actors/<address>/agent/': ['missing'],
  'actors/<address>/agent/questions/': ['missing'],
  'actors/<address>/agent/questions/<key>/': ['missing'],
  'actors/<address>/agent/threads/': ['missing'],
  'actors/<address>/agent/threads/<key>.json': ['missing'],
  'actors/<address>/agent/context/': ['missing'],
  'actors/<address>/agent/context/<number>.json': ['missing'],
};

const CHAINS = ['actors/<address>/rate.<n>', 'actors/<address>/journal/<first seq>.jsonl'];

const random = createRandom();

/** One of the ways to damage the file, by the seed; in the long set all. */
function drawDamages(name: string, kind: 'file' | 'directory'): Damage[] {
  const all = damagesOf(name, kind);
  const drawn = all[Math.floor(random() * all.length)];
  return choice(all, (damage) => damage === drawn);
}

function damagesOf(name: string, kind: 'file' | 'directory'): Damage[] {
  const all = Object.keys(DAMAGES) as Damage[];
  const ofContent: readonly Damage[] = ['empty', 'garbage', 'changed'];
  const possible = kind === 'file' ? all : all.filter((damage) => !ofContent.includes(damage));
  return CHAINS.includes(name) ? possible : possible.filter((damage) => damage !== 'changed');
}

async function examine(base: string, { fix = false } = {}): Promise<DoctorFinding[]> {
  try {
    await using room = await openRoom({ directory: `${base}/.mailroom`, durability: 'process' });
    return await checkFiles(room, { fix });
  } catch (error) {
    if (!isMailroomError(error)) throw error;
    // What the command tells where the room cannot even be opened.
    return [{ check: 'room', level: 'wrong', text: error.message, hint: error.hint ?? '' }];
  }
}

async function wrongIn(base: string): Promise<DoctorFinding[]> {
  return (await examine(base)).filter(({ level }) => level === 'wrong');
}

/** Does what a hint says: its command, or else it has to name a backup, from which the path is put back. */
async function follow(
  base: string,
  { hint = '', path: damaged, original }: { hint?: string; path: string; original: string },
) {
  const command = COMMAND.exec(hint)?.[1];
  if (command === undefined || command.startsWith('mailroom join <')) {
    if (!hint.includes('backup')) throw new Error(`the hint leads nowhere: ${hint}`);
    fs.rmSync(damaged, { recursive: true, force: true });
    execFileSync('cp', ['-a', original, damaged]);
    return;
  }
  const joined = /^mailroom join ([a-z]+)$/.exec(command)?.[1];
  if (command === 'mailroom doctor --fix') await examine(base, { fix: true });
  else if (joined === undefined) execFileSync('/bin/sh', ['-c', command], { cwd: base });
  else {
    await using room = await openRoom({ directory: `${base}/.mailroom`, durability: 'process' });
    await room.join(joined);
  }
}

async function expectMailToPass(base: string): Promise<void> {
  await using room = await openRoom({ directory: `${base}/.mailroom`, durability: 'process' });
  const [alice, bob] = [await room.join('alice'), await room.join('bob')];
  const { id } = await alice.send({ to: 'bob', type: 'INFO', content: 'again' });
  const read: string[] = [];
  for await (const mail of bob.inbox({ wait: false })) {
    read.push(mail.message.id);
    await mail.ack();
  }
  expect(read).toContain(id);
}

test.each(ALGORITHMS)(
  'there is nothing to find in a room of %s in which everything is there once',
  async (algorithm) => {
    expect(await examine(whole.get(algorithm) ?? '')).toMatchObject([{ level: 'ok' }]);
  },
);

/** The keys of each algorithm, and everything else once. */
function filesOf(algorithm: Algorithm): (readonly [string, DurableFile])[] {
  const isOfHmac = ({ name }: DurableFile): boolean => !/^keys\/(?:<|pub\/<)/.test(name);
  const isOf = (file: DurableFile): boolean => isOfHmac(file) === (algorithm === 'hmac-sha256');
  return DURABLE_FILES.filter(isOf).map((file) => [file.name, file] as const);
}

describe.each(ALGORITHMS)('in a room of %s', (algorithm) => {
  const drawn = filesOf(algorithm).map(([name, file]) => [name, file, drawDamages(name, file.kind)] as const);
  console.log(`${drawn.flatMap(([, , damages]) => damages).length} damages of ${drawn.length} files of ${algorithm}`);

  test.each(drawn)('%s', { timeout: 60_000 }, async (name, file, damages) => {
    const original = whole.get(algorithm) ?? '';
    await using room = await openRoom({ directory: `${original}/.mailroom` });
    const places = file.places(contextOf(room));
    const isThere = ({ path: at }: { path: string }): boolean => fs.existsSync(at);
    const place = places.find((one) => one.address !== 'alice' && isThere(one)) ?? places.find(isThere);
    if (!place) throw new Error(`the whole room has no ${name}`);
    for (const damage of damages) {
      const base = copyOf(original);
      try {
        const at = path.join(base, path.relative(original, place.path));
        DAMAGES[damage](at);
        const found = await wrongIn(base);
        const isHarmless = HARMLESS[name]?.includes(damage) ?? false;
        expect(
          found.some(({ text }) => text.includes(at.replace(/\/$/, ''))),
          `${name}, ${damage}: ${JSON.stringify(found)}`,
        ).toBe(!isHarmless);
        const followed: string[] = [];
        for (let [next] = found; next; [next] = await wrongIn(base)) {
          const told = `${next.text}\n${next.hint}`;
          expect(followed, `${name}, ${damage} goes in a circle`).not.toContain(told);
          expect(followed.length, followed.join('\n')).toBeLessThan(HINTS_MAX);
          followed.push(told);
          await follow(base, { ...next, path: at, original: place.path });
        }
        await expectMailToPass(base);
      } finally {
        execFileSync('chmod', ['-R', 'u+rwX', base]);
        fs.rmSync(base, { recursive: true, force: true });
      }
    }
  });
});

test('the list has every file and directory of the tree in the document of the protocol, and no other', () => {
  const document = fs.readFileSync(path.join(import.meta.dirname, '../../docs/protocol.md'), 'utf8');
  const [, tree = ''] = /\n\.mailroom\/ .*\n([^]*?)\n```/.exec(document) ?? [];
  const documented: string[] = [];
  const above: string[] = [];
  for (const line of tree.split('\n')) {
    const depth = (/^ */.exec(line)?.[0].length ?? 0) / 2;
    const names = line.trim().split(/ {3,}/)[0]?.split(/ {2}/) ?? [];
    for (const name of names) documented.push(above.slice(0, depth - 1).join('') + name);
    above[depth - 1] = names[0] ?? '';
  }
  const parents = documented.flatMap((name) => {
    const parts = name.split('/').filter(Boolean);
    return parts.slice(0, -1).map((_, at) => `${parts.slice(0, at + 1).join('/')}/`);
  });
  expect(documented.length).toBeGreaterThan(20);
  const listed = DURABLE_FILES.map(({ name }) => name);
  expect(documented.filter((name) => !listed.includes(name))).toEqual([]);
  expect(listed.filter((name) => !documented.includes(name) && !parents.includes(name))).toEqual([]);
  expect(new Set(listed).size).toBe(listed.length);
});
