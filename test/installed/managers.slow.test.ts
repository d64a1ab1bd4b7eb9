import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { choice } from '../run/amount.ts';
import { startRegistry, type LocalRegistry } from './local-registry.ts';
import { packPackage } from './pack-package.ts';
import { fetched, fetchedNodes } from './runtimes.ts';

/** Twice what the slowest of them needs alone on a small machine; what hangs is killed then. */
const COMMAND_MS_MAX = 120_000;
/** What was promised: 20 MB, as `du` counts, of all that npm installs for this package. */
const INSTALLED_KB_MAX = 20 * 1024;

interface Manager {
  readonly name: string;
  /** The package of .ci/runtimes that it is in; npm is here already. */
  readonly fetchedAs?: string;
  /** Its program, in that package. */
  readonly program: readonly string[];
  readonly add: (tarball: string) => readonly string[];
  readonly exec: readonly string[];
  readonly settings?: string;
}

const berry = (linker: string): Manager => ({
  name: `yarn 4, ${linker}`,
  fetchedAs: 'yarn-berry',
  program: ['bin/yarn.js'],
  add: (tarball) => ['add', `agent-mailroom@file:${tarball}`],
  exec: ['run'],
  settings: `nodeLinker: ${linker}\nenableTelemetry: false\nunsafeHttpWhitelist: ['127.0.0.1']\nenableGlobalCache: false\n`,
});

const ALL: readonly Manager[] = [
  { name: 'npm', program: ['npm'], add: (tarball) => ['install', tarball], exec: ['exec', '--no', '--'] },
  { name: 'pnpm', fetchedAs: 'pnpm', program: ['pnpm'], add: (tarball) => ['add', tarball], exec: ['exec'] },
  {
    name: 'yarn 1',
    fetchedAs: 'yarn-classic',
    program: ['bin/yarn.js'],
    add: (tarball) => ['add', tarball],
    exec: ['--silent', 'run'],
  },
  berry('node-modules'),
  berry('pnpm'),
  berry('pnp'),
  { name: 'bun', fetchedAs: 'bun', program: ['bin/bun'], add: (tarball) => ['add', tarball], exec: ['run'] },
];

/** In CI the two that most projects use, with the Node that runs the tests; all of them in `test:long`. */
const MANAGERS = choice(ALL, ({ name }) => ['npm', 'pnpm'].includes(name)).flatMap((manager) => {
  const directory = manager.fetchedAs === undefined ? '' : fetched(manager.fetchedAs);
  if (directory === undefined) return [];
  return [{ ...manager, program: manager.program.map((word) => path.join(directory, word)) }];
});

/** What could be said of ours; pnpm's list of what was left out, and yarn 4's word on Plug'n'Play itself, are not. */
const COMPLAINT = /\bwarn|\berr(?:or)?\b|peer|ignored|deprecat|build script|ELIFECYCLE/i;
const NOT_OURS = /^.*(?:ESM support for PnP uses the experimental loader|Done with warnings|No license field).*$/gm;

const MACHINE = `import { setup } from 'xstate';
import { z } from 'zod';
import { accepts } from 'agent-mailroom/workflow';
export const machine = setup({ schemas: accepts({ GO: z.unknown() }) }).createMachine({
  id: 'm', initial: 'over', states: { over: { type: 'final' } }, output: 'done',
});
`;

let outer: string;
let tarball: string;
let registry: LocalRegistry;
beforeAll(async () => {
  outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-managers-')));
  tarball = packPackage(outer);
  registry = await startRegistry(outer);
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  fs.rmSync(outer, { recursive: true });
});

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(
  words: readonly string[],
  { project, node }: { readonly project: string; readonly node: string },
): Promise<Ran> {
  const [file = '', ...args] = /\.m?js$/.test(words[0] ?? '') ? [path.join(node, 'node'), ...words] : words;
  const env = {
    PATH: [node, path.dirname(process.execPath), '/usr/bin', '/bin'].join(':'),
    HOME: path.join(outer, 'home'),
    npm_config_registry: registry.url,
    pnpm_config_registry: registry.url,
    npm_config_update_notifier: 'false',
    npm_config_fund: 'false',
    npm_config_audit: 'false',
    YARN_NPM_REGISTRY_SERVER: registry.url,
    YARN_REGISTRY: registry.url,
    BUN_CONFIG_REGISTRY: registry.url,
    CI: '',
  };
  const child = spawn(file, args, { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: COMMAND_MS_MAX });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  child.on('error', (error) => (stderr += String(error)));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

/** The one that runs the tests, and the newest. */
const OWN_NODE = path.dirname(process.execPath);
const NODES = choice(
  [
    OWN_NODE,
    ...fetchedNodes()
      .slice(-1)
      .map(({ bin }) => bin),
  ],
  (bin) => bin === OWN_NODE,
);

describe.each(MANAGERS)('$name', ({ name, program, add, exec, settings }) => {
  let project: string;
  let installed: Ran;
  beforeAll(async () => {
    project = path.join(outer, name.replaceAll(/\W+/g, '-'));
    fs.mkdirSync(project);
    const manifest = { name: 'project', version: '1.0.0', private: true, type: 'module' };
    fs.writeFileSync(path.join(project, 'package.json'), JSON.stringify(manifest));
    if (settings !== undefined) fs.writeFileSync(path.join(project, '.yarnrc.yml'), settings);
    // Else yarn takes it for part of a project further up.
    if (settings !== undefined) fs.writeFileSync(path.join(project, 'yarn.lock'), '');
    for (const file of ['x.js', 'x.ts']) fs.writeFileSync(path.join(project, file), MACHINE);
    installed = await run([...program, ...add(tarball)], { project, node: NODES[0] ?? '' });
  });

  it('installs it and complains of nothing', () => {
    const said = `${installed.stdout}${installed.stderr}`.replaceAll(NOT_OURS, '');
    expect([installed.code, said]).toEqual([0, expect.not.stringMatching(COMPLAINT)]);
  });

  it.each(NODES)('has commands that send, read and run a machine, with %s', async (node) => {
    const mailroom = (line: string): Promise<Ran> =>
      run([...program, ...exec, 'mailroom', ...line.split(' ')], { project, node });
    expect(await mailroom('--version')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    await mailroom('init');
    await mailroom('join alice');
    const sent = await mailroom('--as alice send alice INFO hello');
    expect(sent).toMatchObject({ code: 0, stdout: expect.stringContaining('delivered') });
    const read = await mailroom('--as alice read');
    expect(read).toMatchObject({ code: 0, stdout: expect.stringContaining('hello') });
    const { stdout: version } = await run([path.join(node, 'node'), '--version'], { project, node });
    const isStripping = !version.startsWith('v20');
    for (const file of isStripping ? ['x.js', 'x.ts'] : ['x.js']) {
      const ran = await mailroom(`run ${file} --as m-${path.basename(path.dirname(node))}-${file.slice(2)}`);
      expect([file, ran.code, ran.stdout]).toEqual([file, 0, '"done"\n']);
    }
    const drawn = await mailroom('graph x.js --svg');
    expect([drawn.code, drawn.stdout]).toEqual([0, expect.stringMatching(/^<svg /)]);
  });
});

it('takes 20 MB in an empty project', async () => {
  const project = path.join(outer, 'npm');
  const [node = ''] = NODES;
  const { stdout } = await run(['du', '-sk', 'node_modules'], { project, node });
  console.log(`${stdout.split('\t')[0]} KiB installed`);
  expect(Number(stdout.split('\t')[0])).toBeGreaterThan(1024);
  expect(Number(stdout.split('\t')[0])).toBeLessThanOrEqual(INSTALLED_KB_MAX);
});
