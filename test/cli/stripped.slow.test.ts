import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { fetchedNodes } from '../installed/runtimes.ts';
import { createCliRoom, type CliRoom, type Ran } from './cli-room.ts';

const COMMAND = path.join(import.meta.dirname, '../../dist/cli/mailroom.cjs');
/** Which strips the types of a module anew at each start. */
const NODE = fetchedNodes().find(({ name }) => name === '22');

const PART = `export interface Over { readonly over: string }
export const over = (said: Over['over']): Over => ({ over: said });
`;
const MACHINE = `import { createMachine } from 'xstate';
import { over, type Over } from './part.ts';
const output: Over = over('é→😀');
export const machine = createMachine({ initial: 'over', output, states: { over: { type: 'final' } } });
`;
const OVER = '{"over":"é→😀"}\n';

interface Project {
  readonly directory: string;
  readonly kept: () => string[];
  readonly run: (more?: Record<string, string>) => Promise<Ran>;
  readonly write: (name: string, text: string) => void;
}

function makeProject(room: CliRoom): Project {
  const env = { XDG_CACHE_HOME: path.join(room.directory, 'cache') };
  const directory = path.join(env.XDG_CACHE_HOME, 'agent-mailroom/stripped');
  const write = (name: string, text: string): void => fs.writeFileSync(path.join(room.directory, name), text);
  write('package.json', '{ "type": "module" }');
  write('part.ts', PART);
  write('machine.ts', MACHINE);
  let begun = 0;
  return {
    directory,
    kept: () => (fs.existsSync(directory) ? fs.readdirSync(directory).map((name) => path.join(directory, name)) : []),
    run: (more = {}) =>
      room.shell(`'${NODE?.bin}/node' '${COMMAND}' run machine.ts --as over-${++begun}`, { env: { ...env, ...more } }),
    write,
  };
}

it.skipIf(!NODE)('keeps what is left of modules without their types, for its user alone', async () => {
  using room = await createCliRoom({ apart: true });
  const { directory, kept, run } = makeProject(room);
  for (const time of ['first', 'second']) {
    const ran = await run();
    expect(ran, time).toMatchObject({ code: 0, stdout: OVER });
    expect(ran.stderr, time).not.toMatch(/experimental|warning/i);
    expect(kept(), time).toHaveLength(2);
  }
  expect(fs.statSync(directory).mode & 0o777).toBe(0o700);
  for (const file of kept()) expect(fs.statSync(file).mode & 0o777).toBe(0o600);
});

it.skipIf(!NODE)('runs what is kept, and only of a module with exactly that source and without any doubt', async () => {
  using room = await createCliRoom({ apart: true });
  const { directory, kept, run, write } = makeProject(room);
  await run();
  const file = kept().find((one) => fs.readFileSync(one, 'utf8').includes('createMachine')) ?? '';
  const good = fs.readFileSync(file);
  const half = good.subarray(0, good.length / 2);
  const begin = half.indexOf('\n') + 1;
  const stripped = Buffer.from(
    half
      .subarray(begin + Buffer.byteLength(MACHINE))
      .toString()
      .replace('é→😀', 'planted'),
  );
  const once = Buffer.concat([half.subarray(0, begin), Buffer.from(MACHINE), stripped]);
  const plant = (bytes: Buffer = Buffer.concat([once, once])): void => {
    fs.rmSync(file, { force: true });
    fs.writeFileSync(file, bytes, { mode: 0o600 });
  };
  plant();
  expect(await run(), 'what is kept is run').toMatchObject({ code: 0, stdout: '{"over":"planted"}\n' });

  const flipped = Buffer.concat([once, once]);
  flipped[once.length - 10] = (flipped[once.length - 10] ?? 0) ^ 1;
  const ofAnother = Buffer.from(once.toString().replace(MACHINE, MACHINE.replace('initial', 'initiaI')));
  const doubts: Record<string, () => void> = {
    'it is of another source of that length': () => plant(Buffer.concat([ofAnother, ofAnother])),
    'its source is longer than it is': () => plant(Buffer.from('9\n9\n')),
    'there is no source in it': () => plant(Buffer.alloc(200)),
    'one bit has changed': () => plant(flipped),
    'an end is missing': () => plant(once),
    'others may write to it': () => fs.chmodSync(file, 0o622),
    'it is a link': () => {
      fs.renameSync(file, path.join(room.directory, 'elsewhere'));
      fs.symlinkSync(path.join(room.directory, 'elsewhere'), file);
    },
  };
  for (const [doubt, make] of Object.entries(doubts)) {
    plant();
    make();
    expect(await run(), doubt).toMatchObject({ code: 0, stdout: OVER });
    // What is wrong is mended.
    expect(fs.readFileSync(file).equals(good), doubt).toBe(true);
  }
  console.log(`${Object.keys(doubts).length} doubts about a file`);

  plant();
  fs.chmodSync(path.dirname(directory), 0o755);
  expect(await run(), 'others may look into the folder').toMatchObject({ code: 0, stdout: OVER });
  fs.chmodSync(path.dirname(directory), 0o700);
  expect(await run({ NODE_DISABLE_COMPILE_CACHE: '1' }), 'it is turned off').toMatchObject({ code: 0, stdout: OVER });
  expect(await run({ NODE_OPTIONS: '--no-warnings' }), 'it has flags').toMatchObject({ code: 0, stdout: OVER });
  write('machine.ts', MACHINE.replace('é→😀', 'new'));
  expect(await run(), 'the source has changed').toMatchObject({ code: 0, stdout: '{"over":"new"}\n' });
});

it.skipIf(!NODE)('names the line of the source in an error, and leaves to Node what it cannot strip', async () => {
  using room = await createCliRoom({ apart: true });
  const { kept, run, write } = makeProject(room);
  write('machine.ts', `${MACHINE}interface Long {\n  readonly a: string;\n}\nthrow new Error('é' as string);\n`);
  for (const time of ['first', 'second']) {
    const ran = await room.shell(`'${NODE?.bin}/node' '${COMMAND}' run machine.ts --debug`, {
      env: { XDG_CACHE_HOME: path.join(room.directory, 'cache') },
    });
    expect(ran.code, time).not.toBe(0);
    expect(ran.stderr, time).toContain('machine.ts:8:7');
  }
  const before = kept().length;
  write('machine.ts', `${MACHINE}enum Level { low }\n`);
  // After which tsx takes over, which is installed beside the command.
  expect(await run()).toMatchObject({ code: 0, stdout: OVER });
  expect(kept()).toHaveLength(before);
});
