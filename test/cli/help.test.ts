import { spawnSync } from 'node:child_process';
import fs, { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCliRoom, type CliRoom } from './cli-room.ts';

const README = readFileSync(path.join(import.meta.dirname, '../../README.md'), 'utf8');
const PACKAGE = JSON.parse(readFileSync(path.join(import.meta.dirname, '../../package.json'), 'utf8')) as {
  version: string;
};

let room: CliRoom;
let overview: string;
let names: string[];
beforeAll(async () => {
  room = await createCliRoom();
  overview = (await room.run(['help'])).stdout;
  names = [...overview.matchAll(/^ {2}([a-z]+)(?: [<[].*?)? {2,}\S/gm)].map((match) => match[1] ?? '');
});
afterAll(() => room[Symbol.dispose]());

describe('help', () => {
  it('begins with how to say something long, and lists every command', () => {
    expect(overview.indexOf("<<'EOF'")).toBeLessThan(300);
    expect(names.join(' ')).toBe(
      'init join hooks leave whoami agents send broadcast reply inbox read ack release renew status watch log ' +
        'agent hook team run workflows why stop graph replay inspect dead purge doctor completion help',
    );
    expect(Math.max(...overview.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it('is what no command, help, --help and -h print, and needs no room', async () => {
    for (const words of [[], ['--help'], ['-h'], ['help', '--json']]) {
      expect(await room.run(words, { cwd: '/' }), words.join(' ')).toEqual({
        code: 0,
        signal: null,
        stdout: overview,
        stderr: '',
      });
    }
  });

  it('explains each command, with the long message first where there is one', async () => {
    const texts = await Promise.all(names.map(async (name) => (await room.run(['help', name])).stdout));
    for (const [index, text] of texts.entries()) {
      expect(text).toMatch(new RegExp(`^mailroom ${names[index]}\\b`));
      expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(130);
    }
    for (const name of ['send', 'broadcast', 'reply']) {
      expect(texts[names.indexOf(name)]).toMatch(/Send a long text exactly as it is:\n\n {2}mailroom .* - <<'EOF'/);
    }
    expect((await room.run(['send', '--help'])).stdout).toBe(texts[names.indexOf('send')]);
    expect((await room.run(['doctor', '-h'])).stdout).toBe(texts[names.indexOf('doctor')]);
    expect((await room.run(['help', 'sned'])).code).toBe(2);
    console.log(`${names.length} commands explained`);
  });

  it('knows every command that the README uses', () => {
    const used = [...README.matchAll(/\bmailroom (?:--as \w+ )?([a-z]+)\b/g)].map((match) => match[1] ?? '');
    const commands = used.filter((word) => /^[a-z]+$/.test(word) && !['is', 'it', 'lets'].includes(word));
    expect(commands.filter((name) => !names.includes(name))).toEqual([]);
    expect(commands.length).toBeGreaterThan(5);
  });

  it('prints the version of the package', async () => {
    for (const words of [['--version'], ['inbox', '--version']]) {
      expect(await room.run(words)).toMatchObject({ code: 0, stdout: `${PACKAGE.version}\n` });
    }
  });
});

describe('completion', () => {
  it('offers commands, options, addresses, types and choices in bash', async () => {
    const { stdout: script } = await room.run(['completion', 'bash']);
    const complete = async (...words: string[]): Promise<string[]> => {
      const quoted = words.map((word) => `'${word}'`).join(' ');
      const line = `${script}\nCOMP_WORDS=(mailroom ${quoted}); COMP_CWORD=${words.length}; _mailroom; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const ran = spawnSync('bash', ['-c', line], { cwd: room.directory, env: { ...room.env }, encoding: 'utf8' });
      expect(ran.stderr).toBe('');
      return ran.stdout.split('\n').filter(Boolean);
    };
    expect(await complete('re')).toEqual(['reply', 'read', 'release', 'renew', 'replay']);
    expect(await complete('send', '')).toEqual(['alice', 'bob']);
    expect(await complete('--as', 'a')).toEqual(['alice']);
    expect(await complete('--as', 'alice', 'send', 'bob', 'Q')).toEqual(['QUESTION']);
    expect(await complete('send', '--wait-for', '')).toEqual(['claimed', 'acked']);
    expect(await complete('dead', '')).toEqual(['list', 'show', 'retry']);
    expect(await complete('help', 'wh')).toEqual(['whoami', 'why']);
    expect(await complete('read', '--w')).toEqual(['--wait']);
  });

  it.each(['zsh', 'fish'])('prints a script for %s that names every command', async (shell) => {
    const { code, stdout } = await room.run(['completion', shell]);
    expect(code).toBe(0);
    expect(names.filter((name) => !stdout.includes(name))).toEqual([]);
    // An installed shell checks the syntax, from a file: Node gives a child a socket as its stdin, which fish 3.6 refuses to read.
    const file = path.join(room.directory, `completion.${shell}`);
    fs.writeFileSync(file, stdout);
    const checked = spawnSync(shell, ['-n', file], { env: { ...room.env }, encoding: 'utf8' });
    if (checked.error && 'code' in checked.error && checked.error.code === 'ENOENT') return;
    expect(checked).toMatchObject({ status: 0, stderr: '' });
    fs.appendFileSync(file, '\n)(\n');
    expect(spawnSync(shell, ['-n', file], { env: { ...room.env } }).status, 'rejects a syntax error').not.toBe(0);
  });

  it('knows no other shell', async () => {
    expect((await room.run(['completion', 'tcsh'])).code).toBe(2);
  });
});
