import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { CliRoom } from '../cli/cli-room.ts';
import { choice } from '../run/amount.ts';
import { SEED } from '../run/seed.ts';
import { createProject, FAILING, GREETER, handlesSignals, POISONED, REFUSED, SILENT } from './cli-machines.ts';
import { eventually } from './workflow-room.ts';

const TSX = path.join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'tsx');

/** Within this process: a machine that ends by itself, or is refused. */
const WITHIN = { process: false };

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>;
  readonly stderr: () => string;
}

/** Starts `mailroom run …` and does not wait for it. */
function start(room: CliRoom, words: readonly string[], file = path.join(room.bin, 'mailroom')): Started {
  const child = spawn(file, [...words], {
    cwd: room.directory,
    env: { ...room.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  const ended = new Promise<Awaited<Started['ended']>>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended, stderr: () => stderr };
}

const isBegun = (started: Started) => (): boolean => started.stderr().includes('→ waiting');

test('run prints each change on stderr and the output as JSON, and a second time only the output', async () => {
  using room = await createProject({ 'greeter.ts': GREETER });
  const started = start(room, ['run', 'greeter.ts', '--input', '{"name":"Ada"}']);
  await eventually('it has begun', isBegun(started));
  expect((await room.run(['send', 'greeter', 'GO', 'now'], { as: 'alice' })).code).toBe(0);
  const { code, stdout, stderr } = await started.ended;
  expect([code, stdout]).toEqual([0, '"hello Ada"\n']);
  expect(stderr).toMatch(/started +→ waiting\n/);
  expect(stderr).toMatch(
    /GO from alice \([0-9a-f]{8}\) +waiting → over \(done\)\n +→ alice INFO \([0-9a-f]{8}\) gone\n/,
  );
  const again = await room.run(['run', 'greeter.ts']);
  expect([again.code, again.stdout, again.stderr]).toEqual([0, '"hello Ada"\n', '']);
  const other = await room.run(['run', 'greeter.ts', '--input', '{"name":"Bob"}']);
  expect([other.code, other.stderr]).toEqual([6, expect.stringContaining('--again')]);
});

test('kill -9, SIGTERM, Ctrl-C and a closed terminal lose nothing: the same command resumes', async () => {
  using room = await createProject({ 'greeter.mjs': GREETER });
  const words = ['run', 'greeter.mjs', '--input', '{"name":"Ada"}'];
  const ends = [
    ['SIGKILL', null],
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const;
  for (const [index, [signal, expected]] of ends.entries()) {
    const started = start(room, words);
    await eventually('it runs', () => timesOpened(room) === index + 1);
    await eventually('it handles signals', () => signal === 'SIGKILL' || handlesSignals(started.child.pid));
    started.child.kill(signal);
    const { code, stderr } = await started.ended;
    const isTold = stderr.includes('Interrupted; nothing is lost. To resume: mailroom run greeter.mjs');
    expect([code, isTold]).toEqual([expected, expected !== null]);
  }
  await room.run(['send', 'greeter', 'GO', 'now', '--data', '{"name":"Eve"}'], { as: 'alice' });
  const last = await room.run(words);
  expect([last.code, last.stdout]).toEqual([0, '"hello Eve"\n']);
  const why = await room.run(['why', 'greeter']);
  expect(why.stdout.match(/opened by process/g)).toHaveLength(5);
  expect(why.stdout.match(/started/g)).toHaveLength(1);
  const replay = await room.run(['replay', 'greeter', '--machine', 'greeter.mjs'], WITHIN);
  expect([replay.code, replay.stderr]).toEqual([0, '2 steps replayed; each came out as recorded.\n']);
});

/** In CI the schema only; `stuck.slow.test.ts` has a step that costs a host its life. */
const POISONS = choice(
  [
    ['in the step', 'KILL'],
    ['in the schema of its data', 'POISON'],
  ] as const,
  ([, type]) => type === 'POISON',
);

test.each(POISONS)(
  'what kills its host %s is tried five times and is a dead letter then; the mail behind it is taken',
  async (_where, type) => {
    using room = await createProject({ 'poisoned.mjs': POISONED });
    const first = start(room, ['run', 'poisoned.mjs']);
    await eventually('it has begun', isBegun(first));
    await room.run(['send', 'poisoned', type, 'now'], { as: 'alice' });
    expect((await first.ended).signal).toBe('SIGKILL');
    await room.run(['send', 'poisoned', 'GO', 'now'], { as: 'alice' });
    let deaths = 1;
    let last = await start(room, ['run', 'poisoned.mjs']).ended;
    for (; last.signal === 'SIGKILL' && deaths < 10; deaths++) last = await start(room, ['run', 'poisoned.mjs']).ended;
    console.log(`the poison killed ${deaths} hosts`);
    expect([last.code, last.stdout]).toEqual([0, '"survived"\n']);
    // The first death was in an ordinary pass, which counts nothing.
    expect(deaths).toBe(6);
    const [letter] = (await room.json(['dead', 'list', '--as', 'poisoned'])) as { reason: string }[];
    expect(letter?.reason).toBe('attempts');
  },
);

test('options may come before the command, and the machine may be JavaScript of any kind', async () => {
  const over = "createMachine({ initial: 'over', output: 'over', states: { over: { type: 'final' } } })";
  using room = await createProject({
    'module.js': `import { createMachine } from 'xstate';\nexport default ${over};`,
    'waiting.mjs': `import { createMachine } from 'xstate';\nawait 0;\nexport const machine = ${over};`,
    'common.cjs': `const { createMachine } = require('xstate');\nexports.machine = ${over};`,
  });
  for (const [at, file] of ['module.js', 'waiting.mjs', 'common.cjs'].entries()) {
    const orders = [
      ['run', file, '--as', `behind.${file.length}`],
      ['--as', `before.${file.length}`, 'run', file],
    ];
    for (const words of choice(orders, (order) => order === orders[(at + SEED) % orders.length])) {
      const ran = await room.run(words);
      expect([ran.code, ran.stdout], `${words.join(' ')}: ${ran.stderr}`).toEqual([0, '"over"\n']);
      expect(ran.stderr).not.toContain('Warning');
    }
  }
});

test('a machine without an output prints none; with --json each end is one line', async () => {
  using room = await createProject({ 'silent.mjs': SILENT, 'greeter.mjs': GREETER, 'failing.mjs': FAILING });
  expect((await room.run(['graph', 'silent.mjs'], WITHIN)).stderr).toBe('');
  for (let look = 0; look < 2; look++) {
    const ran = await room.run(['run', 'silent.mjs'], WITHIN);
    expect([ran.code, ran.stdout]).toEqual([0, '']);
    const asJson = await room.run(['run', 'silent.mjs', '--json'], WITHIN);
    expect([asJson.code, asJson.stdout]).toEqual([0, '{"address":"silent","status":"done"}\n']);
  }
  const started = start(room, ['run', 'greeter.mjs', '--json']);
  await eventually('it has begun', isBegun(started));
  await room.run(['send', 'greeter', 'GO', 'now'], { as: 'alice' });
  expect((await started.ended).stdout).toBe('{"address":"greeter","status":"done","output":"hello nobody"}\n');
  const failed = await room.run(['run', 'failing.mjs', '--json'], WITHIN);
  expect([failed.code, JSON.parse(failed.stdout)]).toEqual([
    1,
    { address: 'failing', status: 'error', error: { name: 'Error', message: 'the disk is on fire' } },
  ]);
});

test('a workflow that ended in an error exits 1 and says why, each time', async () => {
  using room = await createProject({ 'failing.mjs': FAILING });
  for (let look = 0; look < 2; look++) {
    const ran = await room.run(['run', 'failing.mjs'], WITHIN);
    expect([ran.code, ran.stdout]).toEqual([1, '']);
    expect(ran.stderr).toContain('the disk is on fire');
    expect(ran.stderr).toContain('To start a new run: mailroom run --again failing.mjs\n');
  }
});

test('the printed command starts a new run of a failed workflow, with its input', async () => {
  const machine = "createMachine({ id: 'picky', context: ({ input }) => ({ x: input.x.y.z }) })";
  using room = await createProject({
    'picky.mjs': `import { createMachine } from 'xstate';\nexport const machine = ${machine};`,
  });
  await room.run(['run', 'picky.mjs', '--input', '{"x":5}'], WITHIN);
  const looked = await room.run(['run', '--', 'picky.mjs'], WITHIN);
  expect([looked.code, looked.stdout]).toEqual([1, '']);
  expect(looked.stderr).toContain(`To start a new run: mailroom run --again --input '{"x":5}' -- picky.mjs\n`);
});

test('errors of Mailroom keep their names in output and journal, however the release is built', async () => {
  const none = "import { setup } from 'xstate';\nimport { command } from 'agent-mailroom/workflow';\n";
  const machine =
    "setup({ actors: { none: command(() => ({})) } }).createMachine({ id: 'none', invoke: { src: 'none' } })";
  using room = await createProject({ 'none.mjs': `${none}export const machine = ${machine};` });
  const ran = await room.run(['run', 'none.mjs'], WITHIN);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain('it failed: {"name":"InvalidInput"');
});

test('a machine that cannot be durable is refused before anything runs, with the place and the remedy', async () => {
  using room = await createProject({
    'refused.mjs': REFUSED,
    'two.mjs': 'export const a = 1;',
    'broken.ts': 'export const = 1;',
    'package.js': "import '@who/what/more';",
    'path.js': "import './elsewhere.js';",
    'nameless.mjs': "import { createMachine } from 'xstate';\nexport default createMachine({});",
    'lower.mjs': "import { accepts } from 'agent-mailroom/workflow';\naccepts({ vote: undefined });",
  });
  const refused = await room.run(['run', 'refused.mjs'], WITHIN);
  expect(refused.code).toBe(2);
  const reasons = [
    'The machine refused cannot be run durably: actors.work is fromCallback logic, which cannot resume after a restart; ' +
      'entry of refused.working has the inline action entry.',
    '  actors.work: Write one wait as fromPromise(async ({ input, signal }) => …)',
    '  entry of refused.working: Name it under actions in setup(), as action((params, { effectId }) => …)',
  ];
  for (const reason of reasons) expect(refused.stderr).toContain(reason);
  const graph = await room.run(['graph', 'refused.mjs'], WITHIN);
  expect([graph.code, graph.stdout.slice(0, 15)]).toEqual([0, 'stateDiagram-v2']);
  expect(graph.stderr).toContain('mailroom run would refuse it. ');
  for (const reason of reasons) expect(graph.stderr).toContain(reason);
  expect((await room.run(['run', 'two.mjs'], WITHIN)).stderr).toContain('exports no machine');
  expect((await room.run(['run', 'broken.ts'])).stderr).toMatch(/could not be loaded: Transform failed .* ERROR: .*\n/);
  expect((await room.run(['run', 'package.js'], WITHIN)).stderr).toContain('npm install @who/what\n');
  expect((await room.run(['run', 'path.js'], WITHIN)).stderr).toContain('Correct the path of the import');
  const lower = (await room.run(['run', 'lower.mjs'], WITHIN)).stderr;
  expect(lower).toContain('lower.mjs could not be loaded: accepts() names "vote"');
  expect(lower).toContain('For example VOTE or REVIEW-FEEDBACK.');
  expect((await room.run(['run', 'nameless.mjs'], WITHIN)).stderr).toContain('Give it one with --as');
  expect((await room.run(['run', 'missing'], WITHIN)).stderr).toMatch(
    /There is no file .*missing.\n.* mailroom run ship.ts\n/,
  );
  expect((await room.run(['run', 'refused'], WITHIN)).stderr).toContain('Did you mean refused.mjs?\n');
  expect((await room.run(['run', 'refused.mjs', '--input', '{'], WITHIN)).stderr).toContain('is not JSON');
  expect(fs.existsSync(path.join(room.room, 'actors', 'refused'))).toBe(false);
});

test.each(['ts', 'mjs'])(
  'a machine that is its own program does what run does, and is loaded once: .%s',
  async (kind) => {
    const file = `greeter.${kind}`;
    using room = await createProject({ [file]: `${GREETER}console.error('loaded');` });
    const started = start(room, [file, '--as', 'greeter.own'], TSX);
    await eventually('it has begun', isBegun(started));
    await room.run(['send', 'greeter.own', 'GO', 'now'], { as: 'bob' });
    const { code, stdout, stderr } = await started.ended;
    expect([code, stdout]).toEqual([0, '"hello nobody"\n']);
    expect([stderr.match(/loaded/g)?.length, stderr.includes('another host')]).toEqual([1, false]);
  },
);

test('stop ends a workflow, also in a room where each actor has its own key, and a second host is refused', async () => {
  // Where each actor has its own key; in the long set also where they share one.
  for (const algorithm of choice(['hmac-sha256', 'ed25519'] as const, (one) => one === 'ed25519')) {
    using room = await createProject({ 'greeter.mjs': GREETER }, { algorithm });
    const started = start(room, ['run', 'greeter.mjs']);
    await eventually('it has begun', isBegun(started));
    const second = await room.run(['run', 'greeter.mjs'], WITHIN);
    expect([second.code, second.stderr]).toEqual([6, expect.stringContaining('is run by another host')]);
    expect((await room.run(['stop', 'greeter'], { as: 'alice' })).code).toBe(0);
    const { code, stderr } = await started.ended;
    expect(code).toBe(1);
    expect(stderr).toContain('it was stopped');
    expect((await room.run(['stop', 'greeter'])).code).toBe(6);
    expect((await room.run(['stop', 'greetr'])).stderr).toContain('greeter');
  }
});

test('graph draws a file, and a workflow with its current state', async () => {
  using room = await createProject({ 'greeter.mjs': GREETER });
  const drawn = await room.run(['graph', 'greeter.mjs'], WITHIN);
  expect([drawn.code, drawn.stdout]).toEqual([0, expect.stringContaining('waiting --> over : GO')]);
  const started = start(room, ['run', 'greeter.mjs']);
  await eventually('it has begun', isBegun(started));
  expect((await room.run(['graph', 'greeter', '--machine', 'greeter.mjs'], WITHIN)).stdout).toContain('▶ waiting');
  expect((await room.run(['graph', 'greeter', '--svg', '--machine', 'greeter.mjs'], WITHIN)).stdout).toContain('<svg');
  const [found] = (await room.json(['workflows'])) as { address: string; value: string; host: number }[];
  expect(found).toMatchObject({ address: 'greeter', value: 'waiting', host: started.child.pid });
  started.child.kill('SIGINT');
  await started.ended;
});

/** How often a host has taken the greeter; 0 before its start. */
function timesOpened(room: CliRoom): number {
  const journal = path.join(room.room, 'actors', 'greeter', 'journal', '1.jsonl');
  const text = fs.existsSync(journal) ? fs.readFileSync(journal, 'utf8') : '';
  return text.includes('"commit"') ? text.split('"open":').length - 1 : 0;
}
