import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { memberWords, parseMember } from '../../machines/main-job/member/terms.ts';
import { parseOptions } from '../../machines/main-job/options.ts';
import { shellWordsOf } from '../../machines/main-job/shell-words.ts';
import { thinkerWords } from '../../machines/main-job/thinker.ts';
import { shellWord } from '../../machines/shared/shell-word.ts';
import { TeamRun } from './team-run.ts';

let bin: string;
beforeAll(() => {
  bin = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-bin-'));
  fs.writeFileSync(path.join(bin, 'claude'), '#!/bin/sh\n', { mode: 0o755 });
});
afterAll(() => fs.rmSync(bin, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

function agentsOf(...lists: readonly string[]): object {
  const given = lists.flatMap((list) => ['--agents', list]);
  return parseOptions(['--repo', '.', '--feature', 'x', ...given]).agents ?? [];
}

it('divides the list of agents at commas before an address, and at no others', () => {
  expect(agentsOf('alice=claude --allowedTools Edit,Bash,bob=codex --config a,c', 'carol=./mine --quiet')).toEqual([
    { address: 'alice', by: 'claude --allowedTools Edit,Bash' },
    { address: 'bob', by: 'codex --config a,c' },
    { address: 'carol', by: './mine --quiet' },
  ]);
  expect(() => agentsOf('alice=claude,alice=codex')).toThrow('two of them have the same address');
  expect(() => agentsOf('alice')).toThrow('"alice" is no agent');
});

it('divides words as a shell does', () => {
  expect(shellWordsOf(`claude --model 'a b'  "c \\"d\\""e f\\ g`)).toEqual([
    'claude',
    '--model',
    'a b',
    'c "d"e',
    'f g',
  ]);
  expect(shellWordsOf("it's")).toBeUndefined();
  expect(shellWordsOf('a \\')).toBeUndefined();
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), (words) => {
      expect(shellWordsOf(words.map((word) => shellWord(word)).join(' '))).toEqual(words);
    }),
  );
});

it('knows a preset and the words behind it, and looks for its program', () => {
  vi.stubEnv('PATH', `${bin}:/usr/bin:/bin`);
  expect(thinkerWords({ address: 'alice', by: 'claude' })).toEqual(['--preset', 'claude']);
  expect(thinkerWords({ address: 'alice', by: "claude --permission-mode 'acceptEdits'" })).toEqual([
    '--preset',
    'claude',
    '--',
    '--permission-mode',
    'acceptEdits',
  ]);
  expect(() => thinkerWords({ address: 'bob', by: 'codex' })).toThrow(
    '--agents: bob=codex: there is no program codex on the PATH.',
  );
});

it('takes a command, with the path of its program from here', () => {
  vi.stubEnv('PATH', '/usr/bin:/bin');
  expect(thinkerWords({ address: 'alice', by: 'cat -' })).toEqual(['--exec', 'cat -']);
  expect(thinkerWords({ address: 'alice', by: 'MODEL=x nothing-here' })).toEqual(['--exec', 'MODEL=x nothing-here']);
  const here = path.relative('.', path.join(bin, 'claude'));
  const words = thinkerWords({ address: 'alice', by: `./${here} --quiet 'a b'` });
  expect(words).toEqual(['--exec', `'${path.join(bin, 'claude')}' --quiet 'a b'`]);
  expect(() => thinkerWords({ address: 'alice', by: './nothing-here --quiet' })).toThrow('that may be run');
  expect(() => thinkerWords({ address: 'alice', by: 'nothing-here' })).toThrow('there is no program nothing-here');
  expect(() => thinkerWords({ address: 'alice', by: "cat 'a" })).toThrow('is not closed');
});

it('reads the command line of a member that it has made', () => {
  const text = fc.string({ minLength: 1 });
  const terms = fc.record({
    address: fc.constantFrom('alice', 'bob-2'),
    directory: fc.constant('/runs/one'),
    repository: fc.constant('/a b'),
    testCommand: text,
    setup: fc.option(text, { nil: undefined }),
    mind: fc.array(text, { minLength: 1 }),
  });
  fc.assert(
    fc.property(terms, (one) => {
      expect(parseMember(memberWords(one))).toEqual(one);
    }),
  );
  expect(() => parseMember(['alice'])).toThrow('A member is started by');
});

it('says in one line which agent cannot be started, before anything is there', async () => {
  await using run = new TeamRun();
  const { code, stdout, stderr } = await run.start('alice=codex,bob=cat');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toBe('--agents: alice=codex: there is no program codex on the PATH. Install it, or give a command.\n');
  expect(fs.existsSync(run.runs)).toBe(false);
});

it('shows the agents of a dry run as they were given, and does nothing', async () => {
  await using run = new TeamRun();
  const { code, stdout } = await run.start('alice=cat -,bob=sh -c true', { words: ['--dry-run'] });
  expect(code).toBe(0);
  expect(stdout).toContain('    alice: cat -\n    bob: sh -c true\n');
  expect(fs.existsSync(run.runs)).toBe(false);
});
