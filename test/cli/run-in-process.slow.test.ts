import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createCliRoom, type CliRoom, type RunOptions } from './cli-room.ts';
import { plainWords } from './run-in-process.ts';

const DAMAGED = ['doctor'];

/** One after another in one room, so that each finds what those before it have left. */
const LINES: readonly (readonly [words: readonly string[], options?: RunOptions])[] = [
  [[]],
  [['help']],
  [['help', 'send']],
  [['send', '--help']],
  [['--version']],
  [['no-such']],
  [['sned', 'bob', 'INFO', 'x']],
  [['completion', 'bash']],
  [['whoami']],
  [['whoami'], { as: 'alice' }],
  [['join', 'carol']],
  [['agents']],
  [['send', 'bob', 'INFO', 'one'], { as: 'alice' }],
  [['send', 'bob', 'INFO', 'two', '--json'], { as: 'alice' }],
  [['send', 'bob', 'INFO', '-'], { as: 'alice', stdin: 'from the input\n' }],
  [['send', 'bob', 'INFO', '-'], { as: 'alice' }],
  [['send', 'bob', 'INFO', '-'], { as: 'alice', stdin: Buffer.from([0xff, 0xfe]) }],
  [['send', 'bob', 'INFO', '--file', 'notes.md'], { as: 'alice' }],
  [['send', 'bob', 'INFO', '--file', 'gone.md'], { as: 'alice' }],
  [['send', 'nobody', 'INFO', 'x'], { as: 'alice' }],
  [['send', 'bob', 'INFO'], { as: 'alice' }],
  [['send', 'bob', 'INFO', 'x', '--bogus'], { as: 'alice' }],
  [['broadcast', 'INFO', 'to all', '--json'], { as: 'alice' }],
  [['inbox'], { as: 'bob' }],
  [['inbox', '--json'], { as: 'bob' }],
  [['read'], { as: 'bob' }],
  [['read', '--json', '--limit', '1'], { as: 'bob' }],
  [['reply', 'nonsense', 'INFO', 'x'], { as: 'bob' }],
  [['ack', '00000000'], { as: 'bob' }],
  [['read', '--wait', '50ms'], { as: 'bob' }],
  [['status', 'nonsense', '--json'], { as: 'alice' }],
  [['dead'], { as: 'bob' }],
  [['log', '--json']],
  [['inbox', '--room', '../.mailroom'], { as: 'bob', cwd: 'below' }],
  [['inbox'], { as: 'bob', cwd: '/' }],
  [['inbox'], { as: 'bob', env: { MAILROOM_DIR: '/nowhere' } }],
  [['doctor']],
  [['doctor', '--json']],
  [['purge'], { as: 'bob' }],
  [['hook', 'claude', 'SessionStart'], { as: 'carol', stdin: '{"session_id":"one"}' }],
  [['hook', 'claude', 'UserPromptSubmit'], { as: 'carol', stdin: '{"session_id":"one"}' }],
  [['hook', 'claude', 'no-such'], { as: 'carol', stdin: '{}' }],
  [['hook', 'claude'], { as: 'carol' }],
  [['hooks', 'status']],
  [['init']],
  [['leave'], { as: 'carol' }],
  [['workflows']],
  [['why', 'alice']],
  [DAMAGED],
];

/** What differs from one room or moment to the next, and nothing else. */
function comparable(text: string, { directory }: CliRoom): string {
  return text
    .replaceAll(path.dirname(directory), '<outer>')
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| ?[+-]\d\d:?\d\d)?/g, '<time>')
    .replaceAll(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<uuid>')
    .replaceAll(/\b[0-9a-f]{8,64}\b/g, '<hex>')
    .replaceAll(/\b\d+(?:\.\d+)? ?(?:ms|s|seconds?)\b/g, '<duration>');
}

it('does what a process does: the same output, the same errors, the same exit code', async () => {
  using simulated = await createCliRoom();
  using real = await createCliRoom({ apart: true });
  const codes = new Set<number | null>();
  for (const room of [simulated, real]) {
    fs.mkdirSync(path.join(room.directory, 'below'));
    fs.writeFileSync(path.join(room.directory, 'notes.md'), 'from a file\n');
  }
  for (const [words, { cwd, ...options } = {}] of LINES) {
    if (words === DAMAGED)
      for (const { room } of [simulated, real]) fs.chmodSync(path.join(room, 'keys/room.key'), 0o644);
    const [inProcess, apart] = await Promise.all(
      [simulated, real].map(async (room) => {
        const ran = await room.run(words, { ...options, cwd: path.resolve(room.directory, cwd ?? '.') });
        return { ...ran, stdout: comparable(ran.stdout, room), stderr: comparable(ran.stderr, room) };
      }),
    );
    expect(inProcess, words.join(' ')).toEqual(apart);
    expect(`${inProcess?.stdout}${inProcess?.stderr}${words.join('')}`).not.toBe('');
    codes.add(inProcess?.code ?? null);
  }
  console.log(`${LINES.length} command lines, exit codes ${[...codes].join(', ')}`);
  expect(codes.size).toBeGreaterThan(4);
});

it('takes words from a line only where a shell would take the same', () => {
  const lines = ['a b', "a 'b c'", `a "b 'c" d`, `mailroom send bob INFO "x y" --as='z'`, "a ''", 'a \'x\'y"z"'];
  for (const line of lines) {
    const shell = spawnSync('/bin/sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' });
    expect(plainWords(line), line).toEqual(shell.stdout.split('\0').slice(0, -1));
  }
  const others = [
    'a; b',
    'a | b',
    'a > b',
    'a $b',
    'a "$b"',
    'a `b`',
    'a *',
    'a ~',
    'A=1 b',
    'a\nb',
    'a \\b',
    'a #b',
    "a 'b",
    'a&',
  ];
  expect(others.filter((line) => plainWords(line) !== undefined)).toEqual([]);
});
