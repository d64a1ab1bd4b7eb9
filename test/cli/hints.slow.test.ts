/**
 * Root cause of what is tested here: hints were written one by one, and nobody followed them. Without `.mailroom/tmp`, `join`
 * named `doctor --fix`, which named `init`, which had nothing to do.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { putUnnameable } from '../../fixtures/zoo/things.ts';
import { choice } from '../run/amount.ts';
import { SEED } from '../run/seed.ts';
import { mayRunInProcess, plainWords, runInProcess, type Ran } from './run-in-process.ts';
import { copyOf, DAMAGES, makeWholeRoom, type Damage } from './damage.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const ENDED = `import { setup } from 'xstate';
export const machine = setup({}).createMachine({ id: 'later', initial: 'over', states: { over: { type: 'final' } } });
`;
const COMMAND = /(?:^ *|: |with: |Then: |now: )((?:mailroom|rm|echo|truncate|chmod|mkdir) .*)$/m;
const COMMANDS = ['init', 'join carol', '--as alice send bob INFO hello', '--as bob read', 'run later.mjs', 'doctor'];
const STEPS_MAX = 8;

type Run = (line: string) => Promise<Ran>;

let whole: string;
beforeAll(async () => void (whole = await makeWholeRoom('hmac-sha256')), 60_000);
afterAll(() => fs.rmSync(whole, { recursive: true, force: true }));

/** A project with a copy of the room in it, and what a command line is run with there. */
function project(): { directory: string; run: Run } & Disposable {
  const directory = copyOf(whole);
  const bin = path.join(directory, 'bin');
  const modules = path.join(directory, 'node_modules');
  fs.mkdirSync(bin);
  fs.mkdirSync(modules);
  fs.symlinkSync(path.join(ROOT, 'dist/cli/mailroom.cjs'), path.join(bin, 'mailroom'));
  fs.symlinkSync(ROOT, path.join(modules, 'agent-mailroom'));
  fs.symlinkSync(path.join(ROOT, 'node_modules/xstate'), path.join(modules, 'xstate'));
  fs.writeFileSync(path.join(directory, 'later.mjs'), ENDED);
  const env = { PATH: `${bin}:${path.dirname(process.execPath)}:/usr/bin:/bin`, HOME: directory };
  return {
    directory,
    run: async (line) => {
      const [program, ...args] = plainWords(line) ?? [];
      if (program === 'mailroom' && mayRunInProcess(args, env)) return runInProcess(args, { cwd: directory, env });
      const ran = spawnSync('/bin/sh', ['-c', line], { cwd: directory, env, encoding: 'utf8' });
      return { ...ran, code: ran.status };
    },
    [Symbol.dispose]: () => fs.rmSync(directory, { recursive: true, force: true }),
  };
}

/** What was said last: the error's hint, or that of the first finding that is wrong. */
function hintOf({ stdout, stderr }: { stdout: string; stderr: string }): string {
  const [, finding = ''] = /^wrong .*\n {7}(.*)$/m.exec(stdout) ?? [];
  return stderr.startsWith('mailroom: ') ? stderr.split('\n').slice(1).join('\n') : finding;
}

/** Follows every hint until the command works; ends early where nothing but a backup helps. */
async function follow(run: Run, line: string): Promise<'works' | 'needs a backup'> {
  const told: string[] = [];
  const waiting = [line];
  while (told.length < STEPS_MAX) {
    const command = waiting.at(-1) ?? line;
    const ran = await run(command);
    expect(ran.stderr, command).not.toContain('INTERNAL');
    if (ran.code === 0) {
      waiting.pop();
      if (waiting.length === 0) return 'works';
      continue;
    }
    const hint = hintOf(ran);
    const next = COMMAND.exec(hint)?.[1];
    if (
      /[Rr]estore (?:the file|it|\S+) from a backup/.test(hint) &&
      (next === undefined || /^mailroom init|^mailroom join </.test(next))
    )
      return 'needs a backup';
    expect(next, `${command} says no command to go on with: ${ran.stdout}${ran.stderr}`).toBeDefined();
    const said = `${command} → ${next ?? ''}`;
    expect(told, said).not.toContain(said);
    told.push(said);
    // A command that mends is followed by the one that failed; `doctor` itself is only looked at.
    if (command === 'mailroom doctor') waiting.pop();
    waiting.push(next ?? '');
  }
  throw new Error(`no end: ${told.join('; ')}`);
}

const BOB = 'actors/bob';
const MENDED: readonly (readonly [at: string, damage: Damage])[] = [
  ['tmp', 'missing'],
  ['tmp', 'another kind'],
  ['actors', 'missing'],
  ['log', 'another kind'],
  [BOB, 'another kind'],
  [`${BOB}/card.json`, 'missing'],
  [`${BOB}/card.json`, 'garbage'],
  [`${BOB}/mailbox`, 'missing'],
  [`${BOB}/mailbox/new`, 'missing'],
  [`${BOB}/mailbox/new`, 'another kind'],
  [`${BOB}/mailbox/cur`, 'missing'],
  [`${BOB}/mailbox/cur`, 'another kind'],
  [`${BOB}/mailbox/dead`, 'another kind'],
  ['actors/alice/rate.1', 'changed'],
  ['actors/alice/rate.1', 'another kind'],
];
const LOST: readonly (readonly [at: string, damage: Damage])[] = [
  ['room.json', 'missing'],
  ['room.json', 'garbage'],
  ['room.json', 'another kind'],
  ['keys/room.key', 'missing'],
];

/** Some of the commands, others for each damage and each seed, so that each is tried; in the long set all. */
function drawCommands(commands: readonly string[], { damage, every }: { damage: number; every: number }): string[] {
  return choice(commands, (command) => (commands.indexOf(command) + damage + SEED) % every === 0);
}

describe.each(MENDED.map((one, nth) => [...one, nth] as const))('%s, %s', { timeout: 120_000 }, (at, damage, nth) => {
  test.each(drawCommands(COMMANDS, { damage: nth, every: 3 }))(
    '%s works once its hints were followed',
    async (words) => {
      using place = project();
      // Whoever is joined by a process that lives keeps the address.
      DAMAGES[damage](path.join(place.directory, '.mailroom', at));
      expect(await follow(place.run, `mailroom ${words}`)).toBe('works');
      for (const more of [
        'join bob --take-over',
        'join alice --take-over',
        '--as alice send bob INFO x',
        '--as bob read',
      ])
        expect(await follow(place.run, `mailroom ${more}`)).toBe('works');
    },
  );
});

describe.each(LOST.map((one, nth) => [...one, nth] as const))('%s, %s', { timeout: 120_000 }, (at, damage, nth) => {
  // Without mail nothing is verified, and so the key is not asked for.
  const commands = at === 'keys/room.key' ? [COMMANDS[2] ?? '', 'doctor'] : COMMANDS.slice(2);
  test.each(drawCommands(commands, { damage: nth, every: 2 }))('%s says that only a backup helps', async (words) => {
    using place = project();
    DAMAGES[damage](path.join(place.directory, '.mailroom', at));
    expect(await follow(place.run, `mailroom ${words}`)).toBe('needs a backup');
  });
});

describe('doctor exits 1, names the file, and crashes at nothing', { timeout: 60_000 }, () => {
  const inMailbox = (name: string): string => `${BOB}/mailbox/${name}`;
  test.each<readonly [what: string, at: string, put: (at: string) => void]>([
    ['a damaged counter', 'actors/alice/rate.1', DAMAGES.changed],
    ['a damaged journal', 'actors/ended/journal/1.jsonl', DAMAGES.changed],
    ['a mailbox without cur', inMailbox('cur'), DAMAGES.missing],
    [
      'an actor who is a link to another',
      BOB,
      (at) => {
        fs.rmSync(at, { recursive: true });
        fs.symlinkSync('alice', at);
      },
    ],
    ['a name that is no UTF-8', inMailbox('new'), (at) => putUnnameable(at, { bytes: [0xff, 0xfe] })],
    [
      'a letter without a reason',
      inMailbox('dead'),
      (at) => {
        for (const name of fs.readdirSync(at)) if (name.endsWith('.why.json')) fs.rmSync(path.join(at, name));
      },
    ],
    [
      'a reason without a letter',
      inMailbox('dead'),
      (at) => {
        fs.writeFileSync(path.join(at, 'x.why.json'), '{}', { mode: 0o600 });
        fs.utimesSync(path.join(at, 'x.why.json'), 1, 1);
      },
    ],
  ])('%s', async (_what, at, put) => {
    using place = project();
    const damaged = path.join(place.directory, '.mailroom', at);
    put(damaged);
    const { code, stdout, stderr } = await place.run('mailroom doctor');
    expect(stderr).toBe('');
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`^wrong .*${damaged.replaceAll('.', '\\.')}`, 'm'));
    expect(await follow(place.run, 'mailroom doctor')).toBe('works');
  });
});
