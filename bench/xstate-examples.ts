/**
 * Runs the workflow examples of XState's own repository on XState and on Mailroom, and compares their ends:
 * `npm run bench:xstate <checkout of statelyai/xstate> [name of an example …]`.
 * What an example imports besides xstate must be installed in its directory. The files are run as they are: only the
 * `createActor` that they import is another one, which hands the machine to Mailroom, and chance always lets them succeed.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createActor, sendTo, setup, type AnyStateMachine } from 'xstate';
import { z } from 'zod';
import { initRoom, openRoom } from '../src/index.ts';
import { checkMachine, listWorkflows, WorkflowHost } from '../src/runtime.ts';
import { accepts } from '../src/workflow.ts';

/** How long after its file has done everything an example may still be on its way. */
const REST_MS_MAX = 15_000;
const LOOK_MS = 500;
/** Above every probability of failure in the examples. */
const RANDOM = 0.9;
const RUN_MS_MAX = 90_000;
const AT_ONCE = 4;
const ROOT = path.join(import.meta.dirname, '..');
/** What people type into the examples that ask for it. */
const TYPED = ['Submit\n', 'Ada\n', '\n'];
const TYPED_EVERY_MS = 1_500;

type Place = 'xstate' | 'mailroom';

/** How an example stands at its end. */
interface End {
  readonly status?: string | undefined;
  readonly value?: unknown;
  readonly output?: unknown;
  readonly refused?: string;
}

const [checkout = '', ...rest] = process.argv.slice(2);
if (checkout === '--example') await runExample(rest[0] ?? '', rest[1] as Place);
else await compareAll(checkout, rest);

async function compareAll(repository: string, wanted: readonly string[]): Promise<void> {
  const examples = path.join(repository, 'examples');
  const names = fs
    .readdirSync(examples)
    .filter((name) => name.startsWith('workflow-') && fs.existsSync(path.join(examples, name, 'main.ts')))
    .filter((name) => wanted.length === 0 || wanted.includes(name));
  const rows: string[][] = [];
  const left = [...names];
  const work = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const directory = path.join(examples, name);
      const [there, here] = await Promise.all([inProcess(directory, 'xstate'), inProcess(directory, 'mailroom')]);
      rows.push([name.slice('workflow-'.length), words(there), here.refused ?? words(here), same(there, here)]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  rows.sort(([a = ''], [b = '']) => a.localeCompare(b));
  for (const row of [['example', 'on XState', 'on Mailroom', 'same'], ['---', '---', '---', '---'], ...rows])
    console.log(`| ${row.join(' | ')} |`);
  console.log(`${rows.filter(([, , , verdict]) => verdict === 'yes').length} of ${rows.length} run to the same end`);
}

function words({ status, value, output, refused }: End): string {
  if (refused !== undefined) return refused;
  return [status === 'done' ? 'done' : JSON.stringify(value), output === undefined ? '' : JSON.stringify(output)].join(
    ' ',
  );
}

function same(there: End, here: End): string {
  if (here.refused !== undefined) return 'refused';
  // The time of day is in one of the outputs.
  const text = (end: End): string => JSON.stringify([end.status, end.value, end.output]);
  return text(there) === text(here) ? 'yes' : 'no';
}

/** One example in a process of its own, which tells its end as the last line. */
async function inProcess(directory: string, place: Place): Promise<End> {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-example-'));
  try {
    stage(directory, copy);
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', fileURLToPath(import.meta.url), '--example', copy, place],
      { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const patience = setTimeout(() => child.kill('SIGKILL'), RUN_MS_MAX);
    let typed = 0;
    const type = (): boolean => child.stdin.write(TYPED[typed++] ?? '\n');
    let typing: NodeJS.Timeout | undefined;
    child.stdin.on('error', () => {});
    let text = '';
    child.stdout.on('data', (data: Buffer) => {
      text += data.toString();
      if (text.includes('\nLOADED\n')) typing ??= setInterval(type, TYPED_EVERY_MS);
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    clearTimeout(patience);
    clearInterval(typing);
    const last = text.trim().split('\n').at(-1) ?? '';
    return last.startsWith('END ') ? (JSON.parse(last.slice(4)) as End) : { refused: `ended with ${String(code)}` };
  } finally {
    fs.rmSync(copy, { recursive: true, force: true });
  }
}

/** The example's own file beside an `xstate` that is XState but for `createActor`. */
function stage(directory: string, copy: string): void {
  fs.copyFileSync(path.join(directory, 'main.ts'), path.join(copy, 'main.ts'));
  fs.writeFileSync(path.join(copy, 'package.json'), '{"type":"module"}');
  const modules = path.join(copy, 'node_modules');
  fs.mkdirSync(path.join(modules, 'xstate'), { recursive: true });
  const installed = path.join(directory, 'node_modules');
  for (const name of fs.existsSync(installed) ? fs.readdirSync(installed) : [])
    if (name !== 'xstate' && !name.startsWith('.'))
      fs.symlinkSync(path.join(installed, name), path.join(modules, name));
  const own = import.meta.resolve('xstate');
  fs.writeFileSync(path.join(modules, 'xstate', 'package.json'), '{"type":"module","exports":"./index.js"}');
  fs.writeFileSync(
    path.join(modules, 'xstate', 'index.js'),
    `export * from ${JSON.stringify(own)};\nexport const createActor = (...given) => globalThis.exampleActor(...given);\n`,
  );
}

async function runExample(copy: string, place: Place): Promise<void> {
  let end: () => Promise<End> = () => Promise.resolve({ refused: 'it creates no actor' });
  const ofXState: typeof createActor = (...given) => {
    const actor = createActor(...given);
    end = () => {
      const { status, value, output } = actor.getSnapshot() as End;
      return Promise.resolve({ status, value, output });
    };
    return actor;
  };
  /** The machine as a child of one that passes on what the file sends, because its events are no mail. */
  const ofMailroom = (machine: AnyStateMachine, { input }: { input?: unknown } = {}): object => {
    checkMachine(machine);
    const started = begin(machine, input);
    end = async () => (await started).end();
    let sending = started.then(() => {});
    return {
      subscribe: () => ({ unsubscribe: () => {} }),
      start: () => {},
      getSnapshot: () => ({}),
      send: (event: object) => {
        sending = sending.then(async () => (await started).send(event)).then(() => undefined);
      },
    };
  };
  Object.assign(globalThis, { exampleActor: place === 'xstate' ? ofXState : ofMailroom });
  Math.random = () => RANDOM;
  try {
    await import(pathToFileURL(path.join(copy, 'main.ts')).href);
    process.stdout.write('\nLOADED\n');
    let ended = await end();
    for (let rested = 0; rested < REST_MS_MAX && ended.status !== 'done'; rested += LOOK_MS) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      ended = await end();
    }
    process.stdout.write(`\nEND ${JSON.stringify(ended)}\n`, () => process.exit(0));
  } catch (error) {
    const { message } = error as Error;
    process.stdout.write(`\nEND ${JSON.stringify({ refused: message.replace(/^.*durably: /, '') })}\n`, () =>
      process.exit(0),
    );
  }
}

interface Begun {
  readonly send: (event: object) => Promise<unknown>;
  readonly end: () => Promise<End>;
}

async function begin(machine: AnyStateMachine, input: unknown): Promise<Begun> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-example-room-'));
  process.on('exit', () => fs.rmSync(directory, { recursive: true, force: true }));
  const room = await openRoom({ directory: (await initRoom({ cwd: directory })).directory });
  const parent = setup({ schemas: accepts({ SEND: z.unknown() }), actors: { example: machine } }).createMachine({
    id: 'sender',
    invoke: { id: 'example', src: 'example', ...(input === undefined ? {} : { input }) } as never,
    on: {
      SEND: { actions: sendTo('example', ({ event }) => (event as unknown as { data: never }).data) },
      '*': {},
    },
  });
  const host = new WorkflowHost(room);
  await host.run(parent as never);
  const alice = await room.join('alice');
  return {
    send: (event) => alice.send({ to: 'sender', type: 'SEND', content: '', data: event }),
    end: async () => {
      const child = listWorkflows(room).find(({ address }) => address.startsWith('sender.example'));
      const { status, snapshot, output } = child?.state ?? {};
      return { status, value: (snapshot as End | undefined)?.value, output };
    },
  };
}
