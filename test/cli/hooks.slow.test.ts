import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCliRoom, type CliRoom } from './cli-room.ts';

let room: CliRoom;
let home: string;
beforeEach(async () => {
  room = await createCliRoom({ agents: [] });
  home = path.dirname(room.directory);
});
afterEach(() => room[Symbol.dispose]());

const inProject = (...names: string[]): string => path.join(room.directory, ...names);
const read = (file: string): string => fs.readFileSync(file, 'utf8');

function write(file: string, text: string): string {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
  return file;
}

/** Every file and directory below, with the bytes and the mode. */
function snapshot(directory: string): Record<string, string> {
  const names = fs
    .readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((one) => !/^\.(?:mailroom|git)\b/.test(one));
  return Object.fromEntries(
    names.sort().map((name) => {
      const file = path.join(directory, name);
      const { mode } = fs.lstatSync(file);
      return [name, fs.statSync(file).isFile() ? `${mode.toString(8)} ${read(file)}` : mode.toString(8)];
    }),
  );
}

function git(...words: string[]): void {
  const ran = spawnSync('git', words, { cwd: room.directory, env: { ...room.env }, encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(ran.stderr);
}

describe('hooks add', () => {
  it('writes what each program reads, says what is left to do, and remove leaves nothing behind', async () => {
    const before = snapshot(home);
    const added = await room.run(['hooks', 'add', 'claude', 'codex', 'gemini', 'opencode', 'cursor', 'copilot']);
    expect(added).toMatchObject({ code: 0 });
    expect(added.stdout.split('\n').filter(Boolean)).toEqual([
      `added  claude  ${inProject('.claude/settings.local.json')}`,
      `added  codex  ${inProject('.codex/hooks.json')}`,
      `added  gemini  ${inProject('.gemini/settings.json')}`,
      `added  opencode  ${inProject('.opencode/plugins/mailroom.js')}`,
      `added  cursor  ${inProject('.cursor/hooks.json')}`,
      `added  copilot  ${inProject('.github/hooks/mailroom.json')}`,
    ]);
    expect(added.stderr).toContain(`For this project, ${room.directory}.`);
    expect(added.stderr).toMatch(/Codex: Trust each of its hooks once: Codex asks when it starts/);
    expect(added.stderr.match(/^(?:Cursor|Copilot CLI): untried/gm)).toHaveLength(2);
    expect(JSON.parse(read(inProject('.claude/settings.local.json')))).toMatchObject({
      hooks: {
        PostToolBatch: [{ hooks: [{ type: 'command', timeout: 5 }] }],
        Stop: [{ hooks: [{ timeout: 5 }, { asyncRewake: true, timeout: 86_400 }] }],
      },
    });
    expect(JSON.parse(read(inProject('.github/hooks/mailroom.json')))).toMatchObject({
      version: 1,
    });
    const removed = await room.run(['hooks', 'remove', '--all']);
    expect(removed).toMatchObject({ code: 0, stderr: '' });
    expect(snapshot(home)).toEqual(before);
  });

  it('changes nothing when it is repeated, and puts another form in place of an older one', async () => {
    const file = write(inProject('.claude/settings.local.json'), '{"model": "x"}');
    expect((await room.run(['hooks', 'add', 'claude', '--as', 'bob'])).code).toBe(0);
    const first = snapshot(home);
    expect(await room.run(['hooks', 'add', 'claude', '--as', 'bob'])).toMatchObject({
      stdout: `unchanged  claude  ${file}\n`,
    });
    expect(snapshot(home)).toEqual(first);
    expect(read(file)).toContain('exec env MAILROOM_AS=bob mailroom hook claude Stop');
    expect(await room.run(['hooks', 'add', 'claude'])).toMatchObject({ stdout: `updated  claude  ${file}\n` });
    expect(read(file)).not.toContain('MAILROOM_AS');
    expect(read(`${file}.mailroom-backup`)).toBe('{"model": "x"}');
    await room.run(['hooks', 'remove', 'claude']);
    expect(read(file)).toBe('{"model": "x"}');
  });

  it('edits the file that a link leads to, and keeps its mode', async () => {
    const target = write(path.join(home, 'dotfiles', 'claude.json'), '{\n\t"env": {}\n}\n');
    fs.chmodSync(target, 0o660);
    const link = path.join(home, '.claude', 'settings.json');
    fs.mkdirSync(path.dirname(link));
    fs.symlinkSync('../dotfiles/claude.json', link);
    const before = snapshot(home);
    expect((await room.run(['hooks', 'add', 'claude', '--user'])).code).toBe(0);
    expect(fs.readlinkSync(link)).toBe('../dotfiles/claude.json');
    expect(fs.statSync(target).mode & 0o777).toBe(0o660);
    expect(fs.statSync(`${link}.mailroom-backup`).mode & 0o777).toBe(0o660);
    expect(read(target)).toContain('mailroom hook claude Stop');
    await room.run(['hooks', 'remove', 'claude', '--user']);
    expect(snapshot(home)).toEqual(before);
  });

  it('keeps what somebody else has changed since, and the backup is gone', async () => {
    const file = write(inProject('.gemini/settings.json'), '{\n  // mine\n  "a": 1\n}\n');
    await room.run(['hooks', 'add', 'gemini']);
    fs.writeFileSync(file, read(file).replace('"a": 1', '"a": 2'));
    await room.run(['hooks', 'remove', 'gemini']);
    expect(read(file)).toBe('{\n  // mine\n  "a": 2\n}\n');
    expect(fs.readdirSync(path.dirname(file))).toEqual(['settings.json']);
  });

  it('refuses what is no JSON, naming the place, and then writes nothing at all', async () => {
    write(inProject('.gemini/settings.json'), '{\n  "a": 1,\n  b\n}\n');
    const before = snapshot(home);
    const ran = await room.run(['hooks', 'add', 'claude', 'gemini']);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toMatch(/\.gemini\/settings\.json is not valid JSON: line 3, column 3: /);
    expect(snapshot(home)).toEqual(before);
    write(inProject('.gemini/settings.json'), '{"hooks": {"AfterAgent": "x"}}');
    expect((await room.run(['hooks', 'add', 'gemini'])).stderr).toMatch(
      /"hooks\.AfterAgent" in .* is a string, expected an array/,
    );
    // Claude Code reads strict JSON.
    write(inProject('.claude/settings.local.json'), '{\n  // note\n}');
    expect((await room.run(['hooks', 'add', 'claude'])).stderr).toMatch(/line 2, column 3/);
  });

  it('says which file it may not write, and leaves nothing half done', async () => {
    const file = write(inProject('.codex/hooks.json'), '{}');
    fs.rmSync(file);
    write(`${file}.mailroom-backup/x`, '');
    const before = snapshot(home);
    const ran = await room.run(['hooks', 'add', 'codex']);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain(`${file}.mailroom-backup cannot be read: it is not a regular file`);
    expect(snapshot(home)).toEqual(before);
    fs.rmSync(`${file}.mailroom-backup`, { recursive: true });
    fs.symlinkSync('nowhere.json', file);
    expect((await room.run(['hooks', 'add', 'codex'])).stderr).toContain(
      `${file} is a link to nothing.\n  Remove it: rm ${file}\n`,
    );
  });

  it('shows with --dry-run what it would write, and writes nothing', async () => {
    const before = snapshot(home);
    const ran = await room.run(['hooks', 'add', 'codex', 'opencode', '--dry-run']);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(
      /^would be added {2}codex {2}.*\n {2}\+ the file itself\n {2}\+ hooks\.SessionStart {2}\{"hooks":/,
    );
    expect(snapshot(home)).toEqual(before);
    await room.run(['hooks', 'add', 'codex']);
    const installed = snapshot(home);
    expect((await room.run(['hooks', 'remove', 'codex', '--dry-run'])).stdout).toMatch(
      /^would be removed .*\n {2}- the file itself/,
    );
    expect(snapshot(home)).toEqual(installed);
  });

  it('adds with --all those that are here, and says so when none is', async () => {
    expect(await room.run(['hooks', 'add', '--all'])).toMatchObject({ code: 2, stdout: '' });
    write(inProject('GEMINI.md'), '');
    write(path.join(room.bin, 'codex'), '#!/bin/sh\n');
    fs.chmodSync(path.join(room.bin, 'codex'), 0o755);
    expect((await room.run(['hooks', 'add', '--all'])).stdout.match(/^added {2}\w+/gm)).toEqual([
      'added  codex',
      'added  gemini',
    ]);
  });

  it('calls this very copy where a shell does not find it, but by its name in a file that may be committed', async () => {
    const env = { PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin` };
    await room.run(['hooks', 'add', 'claude'], { env });
    const stop = (): string => {
      const text = read(inProject('.claude/settings.local.json'));
      return (JSON.parse(text) as { hooks: { Stop: [{ hooks: [{ command: string }] }] } }).hooks.Stop[0].hooks[0]
        .command;
    };
    expect(stop()).toContain(`[ -x ${process.execPath} ] && [ -e `);
    expect(stop()).toMatch(/dist\/cli\/mailroom\.cjs hook claude Stop \|\| true$/);
    git('init', '--quiet');
    const shared = await room.run(['hooks', 'add', 'claude'], { env });
    expect(stop()).toMatch(/^command -v mailroom /);
    expect(shared.stderr).toMatch(/git does not ignore \.claude\/settings\.local\.json, so it may be committed/);
    expect(shared.stderr).toContain('its hooks call the command "mailroom", which this shell does not find.');
    write(inProject('.git/info/exclude'), '/.claude/settings.local.json\n');
    expect((await room.run(['hooks', 'add', 'claude'])).stderr).not.toContain('may be committed');
  });

  it('is silent and ends with 0 for somebody without mailroom, in every shell there is', async () => {
    await room.run(['hooks', 'add', 'gemini']);
    const settings = JSON.parse(read(inProject('.gemini/settings.json'))) as {
      hooks: Record<string, [{ hooks: [{ command: string }] }]>;
    };
    const commands = Object.values(settings.hooks).map(([{ hooks }]) => hooks[0].command);
    expect(commands).toHaveLength(6);
    write(path.join(room.bin, 'mailroom-fake', 'mailroom'), '#!/bin/sh\necho "$PPID $MAILROOM_AS $*"\n');
    fs.chmodSync(path.join(room.bin, 'mailroom-fake', 'mailroom'), 0o755);
    const shells = ['sh', 'bash', 'dash', 'zsh', 'fish'].filter(
      (shell) => spawnSync(shell, ['-c', 'true']).status === 0,
    );
    expect(shells).toContain('bash');
    for (const shell of shells) {
      for (const command of commands) {
        const run = (PATH: string) =>
          spawnSync(shell, ['-c', command], {
            env: { PATH, HOME: home },
            stdio: ['ignore', 'pipe', 'pipe'],
            encoding: 'utf8',
          });
        expect(run('/usr/bin:/bin')).toMatchObject({ status: 0, stdout: '', stderr: '' });
        // The program that starts the hook is the parent of mailroom: no shell is left in between.
        expect(run(`${room.bin}/mailroom-fake:/usr/bin:/bin`).stdout).toBe(
          `${process.pid}  ${/hook gemini \w+/.exec(command)?.[0]}\n`,
        );
      }
    }
  });

  it.each<[what: string, words: readonly string[], says: RegExp]>([
    ['a program it does not know', ['add', 'claud'], /Did you mean claude\?/],
    ['no program', ['add'], /needs a program: claude, codex/],
    ['both scopes', ['add', 'claude', '--user', '--project'], /--user and --project/],
    ['one address for several', ['add', 'claude', 'codex', '--as', 'bob'], /--as bob is the address of one agent/],
    ['a bad address', ['add', 'claude', '--as', 'b;rm'], /is not an address/],
    ['an option of another action', ['status', '--dry-run'], /hooks status takes no --dry-run/],
  ])('refuses %s', async (_what, words, says) => {
    const ran = await room.run(['hooks', ...words]);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toMatch(says);
  });

  it('leaves a plugin alone that is another’s, or was changed by hand', async () => {
    const file = write(inProject('.opencode/plugins/mailroom.js'), 'export const Mine = 1;\n');
    expect(await room.run(['hooks', 'add', 'opencode'])).toMatchObject({ code: 6, stdout: '' });
    expect(await room.run(['hooks', 'remove', 'opencode'])).toMatchObject({
      code: 0,
      stdout: `absent  opencode  ${file}\n`,
    });
    fs.rmSync(file);
    await room.run(['hooks', 'add', 'opencode']);
    fs.appendFileSync(file, '// mine\n');
    expect((await room.run(['hooks', 'remove', 'opencode'])).stderr).toMatch(/was changed after Mailroom wrote it/);
    expect(read(file)).toMatch(/\/\/ mine\n$/);
  });
});

describe('hooks status', () => {
  interface Status {
    program: string;
    isTried: boolean;
    isHere: boolean;
    wakes: string;
    files: { scope: string; state: string; as: string | null; trust: { isNeeded: boolean; isGiven: boolean | null } }[];
    sandbox: { setting: string; isSet: boolean } | null;
  }
  const statusOf = async (program: string, cwd?: string): Promise<Status> => {
    const { programs } = (await room.json(['hooks', 'status'], cwd === undefined ? {} : { cwd })) as {
      programs: Status[];
    };
    return programs.find((one) => one.program === program) as Status;
  };

  it('tells which hooks are there, in which form, and whether the program says that it trusts them', async () => {
    expect((await statusOf('claude')).files).toEqual([
      expect.objectContaining({ scope: 'project', state: 'no' }),
      expect.objectContaining({ scope: 'user', state: 'no' }),
    ]);
    await room.run(['hooks', 'add', 'claude', '--as', 'bob']);
    await room.run(['hooks', 'add', 'codex', 'gemini']);
    const project = async (program: string) => (await statusOf(program)).files[0];
    expect(await project('claude')).toMatchObject({
      state: 'current',
      as: 'bob',
      trust: { isNeeded: true, isGiven: null },
    });
    write(
      path.join(home, '.claude.json'),
      JSON.stringify({ projects: { [room.directory]: { hasTrustDialogAccepted: true } } }),
    );
    expect(await project('claude')).toMatchObject({ trust: { isGiven: true } });
    write(path.join(home, '.gemini', 'trustedFolders.json'), JSON.stringify({ [room.directory]: 'DO_NOT_TRUST' }));
    expect(await project('gemini')).toMatchObject({ trust: { isGiven: false } });
    write(path.join(home, '.gemini', 'trustedFolders.json'), JSON.stringify({ [home]: 'TRUST_FOLDER' }));
    expect(await project('gemini')).toMatchObject({ trust: { isGiven: true } });
    expect(await project('codex')).toMatchObject({ trust: { isGiven: false } });
    const events = ['session_start', 'user_prompt_submit', 'post_tool_use', 'stop', 'session_end'];
    const keys = events.map(
      (event) => `[hooks.state."${inProject('.codex/hooks.json')}:${event}:0:0"]\ntrusted_hash = "sha256:0"\n`,
    );
    write(path.join(home, '.codex', 'config.toml'), keys.join('\n'));
    // Whether it is the hash of these hooks, Codex alone can tell.
    expect(await project('codex')).toMatchObject({ trust: { isGiven: null } });
    const file = inProject('.gemini/settings.json');
    fs.writeFileSync(file, read(file).replace('10000', '9000'));
    expect(await project('gemini')).toMatchObject({ state: 'older' });
    fs.writeFileSync(file, '{');
    expect(await project('gemini')).toMatchObject({ state: 'unreadable' });
    const { stdout, stderr } = await room.run(['hooks']);
    expect(stdout).toMatch(/^claude +installed as bob +project +trusted +wakes: its hook/m);
    expect(stdout).toMatch(/^cursor \(untried\) +no$/m);
    expect(stderr).toMatch(/settings\.json is not valid JSON/);
  });

  it('tells of a room that a sandbox does not reach, and --sandbox-access opens it', async () => {
    git('init', '--quiet');
    git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '--allow-empty', '-m', 'x');
    git('worktree', 'add', '--quiet', '../linked');
    const cwd = path.join(home, 'linked');
    expect((await statusOf('claude')).sandbox).toBeNull();
    const added = await room.run(['hooks', 'add', 'claude', 'codex'], { cwd });
    expect(added.stderr).toContain(`Claude Code: the room ${room.room} is outside the project`);
    expect(added.stderr).toContain('mailroom hooks add claude --sandbox-access');
    const notRun = `Codex: it does not run these hooks, because for a linked worktree it reads hooks from ${room.directory}.`;
    expect(added.stderr).toContain(notRun);
    expect(added.stderr).not.toContain('Claude Code: it does not run');
    const stateIn = async (program: string): Promise<string | undefined> =>
      (await statusOf(program, cwd)).files.find(({ scope }) => scope === 'project')?.state;
    expect([await stateIn('codex'), await stateIn('claude')]).toEqual(['not-run', 'current']);
    for (const elsewhere of [
      { words: ['--user'], cwd },
      { words: [], cwd: room.directory },
    ]) {
      const words = ['hooks', 'add', 'codex', '--dry-run', ...elsewhere.words];
      expect((await room.run(words, { cwd: elsewhere.cwd })).stderr).not.toContain('does not run these hooks');
    }
    expect(added.stderr).toContain(`  [sandbox_workspace_write]\n  writable_roots = ["${room.room}"]`);
    expect((await statusOf('claude', cwd)).sandbox).toMatchObject({
      setting: 'sandbox.filesystem.allowWrite',
      isSet: false,
    });
    expect((await room.run(['hooks', 'add', 'claude', '--sandbox-access'], { cwd })).stdout).toMatch(/^updated/);
    const file = path.join(cwd, '.claude/settings.local.json');
    expect(JSON.parse(read(file))).toMatchObject({ sandbox: { filesystem: { allowWrite: [room.room] } } });
    expect((await statusOf('claude', cwd)).sandbox).toMatchObject({ isSet: true });
    // It stays when the hooks are added again without it.
    expect((await room.run(['hooks', 'add', 'claude'], { cwd })).stdout).toMatch(/^unchanged/);
    write(path.join(home, '.codex/config.toml'), `[sandbox_workspace_write]\nwritable_roots = [ "${room.room}" ]\n`);
    expect((await statusOf('codex', cwd)).sandbox).toMatchObject({ isSet: true });
    await room.run(['hooks', 'remove', 'claude', 'codex'], { cwd });
    expect(fs.readdirSync(cwd)).toEqual(['.git']);
  });
});

describe('init', () => {
  it('names the one command for the programs that are here, until it was given', async () => {
    const cwd = path.join(home, 'other');
    write(path.join(cwd, 'CLAUDE.md'), '');
    write(path.join(cwd, 'AGENTS.md'), '');
    const line = 'Claude Code and Codex are here. To make them join by themselves: mailroom hooks add claude codex\n';
    expect((await room.run(['init'], { cwd })).stderr).toContain(line);
    await room.run(['hooks', 'add', 'claude'], { cwd });
    expect((await room.run(['init'], { cwd })).stderr).toContain(
      'Codex is here. To make it join by itself: mailroom hooks add codex\n',
    );
    await room.run(['hooks', 'add', 'codex'], { cwd });
    expect((await room.run(['init'], { cwd })).stderr).not.toContain('hooks add');
  });
});
