import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { memberWords, parseMember } from '../../machines/member/terms.ts';
import { parseOptions } from '../../machines/team/command-line.ts';
import { missingEdits, shellWordsOf, thinkerWords } from '../../machines/team/thinker.ts';
import { PRESET_NAMES } from '../../src/agents/presets.ts';
import { team } from '../../src/cli/commands/team.ts';
import { shellWord } from '../../machines/shared/shell-word.ts';
import { TeamRun } from './team-run.ts';

let bin: string;
beforeAll(() => {
  bin = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-bin-'));
  fs.writeFileSync(path.join(bin, 'claude'), '#!/bin/sh\n', { mode: 0o755 });
});
const RUN = '/runs/one';
afterAll(() => fs.rmSync(bin, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

function agentsOf(...lists: readonly string[]): object {
  const given = lists.flatMap((list) => ['--agents', list]);
  return parseOptions(['--repo', '.', '--feature', 'x', ...given]).agents ?? [];
}

it('splits the list of agents only at commas before an address', () => {
  expect(agentsOf('alice=claude --allowedTools Edit,Bash,bob=codex --config a,c', 'carol=./mine --quiet')).toEqual([
    { address: 'alice', by: 'claude --allowedTools Edit,Bash' },
    { address: 'bob', by: 'codex --config a,c' },
    { address: 'carol', by: './mine --quiet' },
  ]);
  expect(() => agentsOf('alice=claude,alice=codex')).toThrow('two agents have the same address');
  expect(() => agentsOf('alice')).toThrow('"alice" is no agent');
  expect(() => agentsOf('alice=claude,aux=codex')).toThrow('"aux" is a device, and a room may be copied there. Choose');
  expect(() => agentsOf('alice=claude,b..c=codex')).toThrow('--agents: "b..c" is not an address');
});

it('splits words as a shell does', () => {
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

it('recognises a preset with its arguments, and looks for its program', () => {
  vi.stubEnv('PATH', `${bin}:/usr/bin:/bin`);
  expect(thinkerWords({ address: 'alice', by: 'claude' }, RUN)).toEqual(['--preset', 'claude']);
  expect(thinkerWords({ address: 'alice', by: "claude --permission-mode 'acceptEdits'" }, RUN)).toEqual([
    '--preset',
    'claude',
    '--',
    '--permission-mode',
    'acceptEdits',
  ]);
  expect(() => thinkerWords({ address: 'bob', by: 'codex' }, RUN)).toThrow(
    '--agents: bob=codex: there is no program codex on the PATH.',
  );
});

it('trusts only the directory of the run for programs that ask for trust', () => {
  vi.stubEnv('PATH', `${bin}:/usr/bin:/bin`);
  for (const name of ['codex', 'gemini']) fs.writeFileSync(path.join(bin, name), '#!/bin/sh\n', { mode: 0o755 });
  expect(thinkerWords({ address: 'a', by: 'codex --sandbox workspace-write' }, RUN)).toEqual([
    '--preset',
    'codex',
    '--trust-directory',
    RUN,
    '--',
    '--sandbox',
    'workspace-write',
  ]);
  expect(thinkerWords({ address: 'a', by: 'gemini' }, RUN)).toEqual(['--preset', 'gemini', '--trust-directory', RUN]);
  for (const name of ['codex', 'gemini']) fs.rmSync(path.join(bin, name));
});

it('knows which options a preset needs to edit files, as the help does', () => {
  const given = PRESET_NAMES.flatMap((name) => {
    const missing = missingEdits(name);
    return missing.length === 0 ? [] : [[name, ...missing].join(' ')];
  });
  expect(given).toEqual([
    'claude --permission-mode acceptEdits',
    'codex --sandbox workspace-write',
    'gemini --approval-mode auto_edit',
  ]);
  for (const one of given) {
    expect(team.details.replaceAll(/\s+/g, ' ')).toContain(one);
    expect(missingEdits(one)).toEqual([]);
  }
  expect(missingEdits('claude --permission-mode=plan')).toEqual([]);
  expect(missingEdits('claude --dangerously-skip-permissions')).toEqual([]);
  expect(missingEdits('codex -s danger-full-access')).toEqual([]);
  expect(missingEdits('./my-agent')).toEqual([]);
});

it('starts the team of the README with agents that may edit files', () => {
  const readme = fs.readFileSync(path.join(import.meta.dirname, '../../README.md'), 'utf8').replaceAll('\\\n', '');
  const line = readme.split('\n').find((one) => /^mailroom team start .*--agents/.test(one)) ?? '';
  const { agents = [] } = parseOptions(['--repo', '.', ...(shellWordsOf(line) ?? []).slice(3)]);
  expect(agents.map(({ by }) => by.split(' ')[0])).toEqual(['claude', 'codex', 'gemini']);
  expect(agents.flatMap(({ by }) => missingEdits(by))).toEqual([]);
});

it('accepts a command, and resolves the path of its program', () => {
  vi.stubEnv('PATH', '/usr/bin:/bin');
  expect(thinkerWords({ address: 'alice', by: 'cat -' }, RUN)).toEqual(['--exec', 'cat -']);
  expect(thinkerWords({ address: 'alice', by: 'MODEL=x nothing-here' }, RUN)).toEqual([
    '--exec',
    'MODEL=x nothing-here',
  ]);
  const here = path.relative('.', path.join(bin, 'claude'));
  const words = thinkerWords({ address: 'alice', by: `./${here} --quiet 'a b'` }, RUN);
  expect(words).toEqual(['--exec', `'${path.join(bin, 'claude')}' --quiet 'a b'`]);
  expect(() => thinkerWords({ address: 'alice', by: './nothing-here --quiet' }, RUN)).toThrow('that can be executed');
  expect(() => thinkerWords({ address: 'alice', by: 'nothing-here' }, RUN)).toThrow('there is no program nothing-here');
  expect(() => thinkerWords({ address: 'alice', by: "cat 'a" }, RUN)).toThrow('is not closed');
});

it('parses the command line of a member that it has built', () => {
  const text = fc.string({ minLength: 1 });
  const terms = fc.record({
    address: fc.constantFrom('alice', 'bob-2'),
    directory: fc.constant('/runs/one'),
    repository: fc.constant('/a b'),
    testCommand: text,
    setup: fc.option(text, { nil: undefined }),
    testMinutes: fc.constantFrom(0.5, 15),
    setupMinutes: fc.integer({ min: 1, max: 60 }),
    mind: fc.array(text, { minLength: 1 }),
  });
  fc.assert(
    fc.property(terms, (one) => {
      expect(parseMember(memberWords(one))).toEqual(one);
    }),
  );
  expect(() => parseMember(['alice'])).toThrow('Usage: member.ts');
});

it('says in one line which agent cannot be started, before anything is created', async () => {
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

it('says in a dry run which agents may not edit files, with the options to allow it', async () => {
  await using run = new TeamRun();
  const programs = path.join(run.outer, 'bin');
  fs.mkdirSync(programs);
  for (const name of ['claude', 'codex']) fs.writeFileSync(path.join(programs, name), '#!/bin/sh\n', { mode: 0o755 });
  const agents = 'alice=claude --model opus,bob=codex --sandbox workspace-write';
  const { code, stderr } = await run.start(agents, { words: ['--dry-run'] });
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: "alice may not edit files. To allow it: alice='claude --model opus --permission-mode acceptEdits'.\n",
  });
});
