import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { inOwnWords, ownCommand } from '../../src/cli/own-command.ts';
import { commandLine } from '../../src/cli/shell-words.ts';

let outer: string;
beforeEach(() => void (outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-own-')))));
afterEach(() => fs.rmSync(outer, { recursive: true, force: true }));

function executable(...at: readonly string[]): string {
  const file = path.join(outer, ...at);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, '', { mode: 0o755 });
  return file;
}

it('is the name where the shell finds this file by it, else node and the path', () => {
  const program = executable('package', 'mailroom.cjs');
  const [bin, other] = [path.join(outer, 'bin'), path.join(outer, 'other')];
  fs.mkdirSync(bin);
  fs.symlinkSync(program, path.join(bin, 'mailroom'));
  executable('other', 'mailroom');
  executable('other', 'node');
  const own = (PATH: string, env: Readonly<Record<string, string>> = {}): string =>
    ownCommand(program, { env: { PATH, ...env }, cwd: outer });
  expect(own(`${bin}:${other}`)).toBe('mailroom');
  expect(own('bin:other')).toBe('mailroom');
  expect(own(`${other}:${bin}`)).toBe(`node ${program}`);
  expect(own(other)).toBe(`node ${program}`);
  expect(own('')).toBe(`${process.execPath} ${program}`);
  // What cannot be run is passed over, as a shell does.
  fs.chmodSync(path.join(other, 'mailroom'), 0o644);
  fs.mkdirSync(path.join(outer, 'third', 'mailroom'), { recursive: true });
  expect(own(`${other}:${outer}/third:${bin}`)).toBe('mailroom');
});

it('counts no directory that only npm has on its PATH', () => {
  const program = executable('package', 'mailroom.cjs');
  const bin = path.join(outer, 'node_modules', '.bin');
  fs.mkdirSync(bin, { recursive: true });
  fs.symlinkSync(program, path.join(bin, 'mailroom'));
  const shell = { env: { PATH: bin }, cwd: outer };
  expect(ownCommand(program, shell)).toBe('mailroom');
  expect(ownCommand(program, { ...shell, env: { PATH: bin, npm_execpath: '/usr/bin/npm' } })).toContain(program);
});

it('is quoted where its path needs that', () => {
  const program = executable("it's here", 'mailroom.cjs');
  expect(ownCommand(program, { env: { PATH: '' }, cwd: outer })).toBe(
    `${process.execPath} '${outer}/it'\\''s here/mailroom.cjs'`,
  );
});

it('stands in place of the name at each command of ours, and nowhere in what somebody else wrote', () => {
  const own = 'node /x/mailroom.cjs';
  const cases = {
    'See: mailroom dead list': `See: ${own} dead list`,
    'Join: eval "$(mailroom join <address>)"': `Join: eval "$(${own} join <address>)"`,
    'mailroom --as alice inbox\nmailroom --as bob inbox': `${own} --as alice inbox\n${own} --as bob inbox`,
    "printf '%b' 'a' | mailroom send bob INFO -": `printf '%b' 'a' | ${own} send bob INFO -`,
    "the room's owner: mailroom doctor": `the room's owner: ${own} doctor`,
    'Update Mailroom, or look into .mailroom here': 'Update Mailroom, or look into .mailroom here',
    'node /x/mailroom.cjs read': 'node /x/mailroom.cjs read',
  };
  for (const [text, expected] of Object.entries(cases)) expect(inOwnWords(text, own)).toBe(expected);
  for (const content of ['run mailroom read now', "it's: mailroom read", "'mailroom read'", 'a\n$(mailroom read)']) {
    const line = commandLine(['send', 'bob', 'INFO', content]);
    expect(inOwnWords(`Repeat it: ${line}`, own)).toBe(`Repeat it: ${own}${line.slice('mailroom'.length)}`);
  }
  expect(inOwnWords('mailroom read', 'mailroom')).toBe('mailroom read');
});

it('says again who and where, when only the options of the command said so', () => {
  const given = { as: 'bob', room: '/a room' };
  const cases = {
    'To read on: mailroom read': "To read on: mailroom --as bob --room '/a room' read",
    'To claim it: mailroom read 1a2b --hold': "To claim it: mailroom --as bob --room '/a room' read 1a2b --hold",
    'mailroom --as carol inbox': "mailroom --room '/a room' --as carol inbox",
    'mailroom send --room x bob INFO y': 'mailroom --as bob send --room x bob INFO y',
    'Join: eval "$(mailroom join <address>)"': `Join: eval "$(mailroom --room '/a room' join <address>)"`,
    'See: mailroom workflows': "See: mailroom --room '/a room' workflows",
    'See: mailroom help send': 'See: mailroom help send',
    'Make one: mailroom init --room <directory>': 'Make one: mailroom init --room <directory>',
    "mailroom send bob INFO 'mailroom read'": "mailroom --as bob --room '/a room' send bob INFO 'mailroom read'",
  };
  for (const [text, expected] of Object.entries(cases)) expect(inOwnWords(text, 'mailroom', given)).toBe(expected);
});
