// A journal is not signed: whoever can write to a room can name any file in one, and importing a file runs it.
import { hash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import type { CliCommand } from '../../src/cli/command.ts';
import { graph } from '../../src/cli/commands/graph.ts';
import { inspect } from '../../src/cli/commands/inspect.ts';
import { replay } from '../../src/cli/commands/replay.ts';
import { why } from '../../src/cli/commands/why.ts';
import { inspectRoom } from '../../src/cli/start-inspector.ts';
import { isShippedMachine } from '../../src/cli/load.ts';
import { InvalidInput } from '../../src/errors.ts';
import { initRoom, openRoom, type Room } from '../../src/index.ts';
import { contextOf } from '../../src/room/room.ts';
import { runWorkflow } from '../../src/runtime.ts';
import { runInProcess } from './run-in-process.ts';

const ROOT = path.dirname(path.dirname(import.meta.dirname));
const MACHINES = path.join(ROOT, 'machines');

let directory: string;
let room: Room;
beforeAll(async () => {
  directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-trust-')));
  await initRoom({ cwd: directory });
  room = await openRoom({ cwd: directory });
});
afterAll(async () => {
  await room.close();
  fs.rmSync(directory, { recursive: true, force: true });
});

type Edit = (body: { open?: { machine: { file?: string } }; commit?: { state: object } }) => void;

/** A workflow that has ended, whose journal was then rewritten: each record with its hash, so that the chain holds. */
async function plant(address: string, edit: Edit): Promise<void> {
  await runWorkflow(room, createMachine({ id: 'planted', initial: 'over', states: { over: { type: 'final' } } }), {
    address,
  });
  const journal = path.join(directory, '.mailroom/actors', address, 'journal/1.jsonl');
  let prev: string | undefined;
  const lines = fs.readFileSync(journal, 'utf8').split('\n').filter(Boolean);
  const rewritten = lines.map((line) => {
    const record = JSON.parse(line.slice(65)) as { prev: string; body?: Parameters<Edit>[0] };
    if (record.body) edit(record.body);
    if (prev !== undefined) record.prev = prev;
    const json = JSON.stringify(record);
    prev = hash('sha256', json);
    return `\n${prev} ${json}\n`;
  });
  fs.writeFileSync(journal, rewritten.join(''));
}

/** The same, with a file of its own as its machine. */
async function plantFile(address: string): Promise<{ file: string; hasRun: () => boolean }> {
  const marker = path.join(directory, `${address} ran`);
  const file = path.join(directory, `it's ${address}.cjs`);
  fs.writeFileSync(
    file,
    `require('node:fs').writeFileSync(${JSON.stringify(marker)}, '');
const { createMachine } = require(${JSON.stringify(path.join(ROOT, 'node_modules/xstate'))});
exports.machine = createMachine({ id: 'planted', initial: 'over', states: { over: { type: 'final' } } });
`,
  );
  await plant(address, ({ open }) => {
    if (open) open.machine.file = file;
  });
  return { file, hasRun: () => fs.existsSync(marker) };
}

test.each<[string, CliCommand, string[]]>([
  ['graph', graph, ['--svg']],
  ['replay', replay, []],
])(
  '%s refuses to import the file that a journal names, and prints the command that does',
  async (name, command, more) => {
    const { file, hasRun } = await plantFile(`planted-${name}`);
    const words = [`planted-${name}`, ...more];
    const { error } = await runInProcess(command, words, { directory });
    expect(error).toBeInstanceOf(InvalidInput);
    expect([hasRun(), String(error)]).toEqual([false, expect.stringContaining(file)]);
    const quoted = `'${file.replace("'", `'\\''`)}'`;
    expect(error).toHaveProperty(
      'hint',
      `If you trust that file: mailroom ${name} --machine ${quoted} ${words.join(' ')}`,
    );
    const followed = await runInProcess(command, ['--machine', file, ...words], { directory });
    expect([followed.error, hasRun()]).toEqual([undefined, true]);
  },
);

test('inspect and why import no file that a journal names, and inspect says how to name one', async () => {
  const { file, hasRun } = await plantFile('looked-at');
  const printed = await runInProcess(inspect, ['looked-at', '--jsonl'], { directory });
  expect([printed.error, printed.stderr, hasRun()]).toEqual([undefined, '', false]);
  expect(printed.stdout).toContain('@xstate.snapshot');
  expect((await runInProcess(why, ['looked-at'], { directory })).stdout).toContain('started');
  const warnings: string[] = [];
  const sessions = new Set<string>();
  const events = inspectRoom(contextOf(room), {
    addresses: ['looked-at'],
    cwd: ROOT,
    files: { named: [], words: ['inspect', 'looked-at'], program: import.meta.filename },
    warn: (text) => void warnings.push(text),
  });
  for await (const { sessionId } of events) sessions.add(sessionId);
  expect([...sessions, warnings.length, hasRun()]).toEqual(['looked-at', 1, false]);
  expect(warnings[0]).toMatch(/its machine is .*If you trust that file: mailroom inspect --machine .* looked-at$/);
  const named = await runInProcess(inspect, ['looked-at', '--jsonl', '--machine', file], { directory });
  expect([named.error, named.stderr, hasRun()]).toEqual([undefined, '', true]);
});

test('a shipped machine is imported without being named', async () => {
  await plant('vote', ({ open }) => {
    if (open) open.machine.file = path.join(MACHINES, 'consensus.ts');
  });
  const drawn = await runInProcess(graph, ['vote'], { directory });
  expect([drawn.error, drawn.stdout]).toEqual([undefined, expect.stringContaining('stateDiagram')]);
});

test('only a machine of this package counts as shipped, whatever path leads to it', () => {
  const link = path.join(directory, 'link.ts');
  fs.symlinkSync(path.join(MACHINES, 'poll.ts'), link);
  const outside = path.join(directory, 'machines');
  fs.mkdirSync(outside);
  fs.copyFileSync(path.join(MACHINES, 'poll.ts'), path.join(outside, 'poll.ts'));
  const cases: [string, boolean][] = [
    [path.join(MACHINES, 'poll.ts'), true],
    [`${MACHINES}/../machines/./poll.ts`, true],
    [link, true],
    // A program, which would start a team.
    [path.join(MACHINES, 'team', 'main.ts'), false],
    [`${MACHINES}/../fixtures/workflows/train.mjs`, false],
    [path.join(MACHINES, 'none.ts'), false],
    [path.join(outside, 'poll.ts'), false],
    ['', false],
  ];
  expect(cases.map(([file]) => [file, isShippedMachine(file, import.meta.filename)])).toEqual(cases);
});

test('journals that name each other as parents end in an error, not in a loop', async () => {
  for (const [address, parent] of [
    ['hen', 'egg'],
    ['egg', 'hen'],
  ] as const) {
    await plant(address, ({ commit }) => {
      if (commit) Object.assign(commit.state, { parent: { address: parent, src: 'planted', incarnation: 'x' } });
    });
  }
  const { error } = await runInProcess(graph, ['hen'], { directory });
  expect(String(error)).toContain('According to the journals, hen has started itself.');
});
