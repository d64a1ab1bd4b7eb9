import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackage, type Installed } from './installed-package.ts';
import { choice } from '../run/amount.ts';
import { fetchedNodes } from './runtimes.ts';

const TSX = path.join(import.meta.dirname, '..', '..', 'node_modules', 'tsx');

/** Node 20 strips no types; those that do need no tsx for most files. */
const ALL = [{ name: process.version, bin: path.dirname(process.execPath) }, ...fetchedNodes()];
/** In CI the one that runs the tests and the newest; all in `test:long`, with the oldest that strips anew at each start. */
const NODES = choice(ALL, ({ name }) => [process.version, '26'].includes(name));
const STRIPPING = NODES.filter(({ name }) => !/^v?20/.test(name));

const MACHINE = `import { setup } from 'xstate';
import { accepts } from 'agent-mailroom/workflow';
export const machineOf = (output: unknown) =>
  setup({ schemas: accepts({}) }).createMachine({
    id: 'm', initial: 'over', states: { over: { type: 'final' } }, output: () => output,
  });
`;
/** Each is a machine that tells what the file has made of its TypeScript. */
const PLAIN = {
  'plain.ts': `import { machineOf } from './machine-of.ts';
import type { Told } from './told.ts';
const told: Told = 'plain';
export const machine = machineOf(told);`,
  'plain.mts': `import { machineOf } from './machine-of.ts';
export const machine = machineOf('plain' satisfies string);`,
  'plain.cts': `const { setup } = require('xstate');
const told: string = 'plain';
exports.machine = setup({}).createMachine({ id: 'm', initial: 'over', states: { over: { type: 'final' } }, output: told });`,
};
/** What more than stripping takes, and what the refusal names. */
const MORE = {
  'enum.ts': ['enum Kind { more = "more" }\nconst told = Kind.more;', 'enum is not supported'],
  'property.ts': [
    'class A { constructor(readonly told: string) {} }\nconst { told } = new A("more");',
    'parameter prop',
  ],
  'namespace.ts': ['namespace A { export const told = "more"; }\nconst { told } = A;', 'namespace'],
  'imported.ts': ['import { Told } from "./told.ts";\nconst told: Told = "more";', 'import type'],
  'mapped.ts': ['import { more } from "./more.js";\nconst told: string = more;', 'Import more.ts by that name'],
  'decorated.ts': [
    'const d = (_: unknown) => {};\n@d class A { told = "more" }\nconst { told } = new A();',
    'decorator',
  ],
  'markup.tsx': ['const told = "more" as string;', 'loads no such file'],
  'awaited.ts': ['enum A { more = "more" }\nconst told = await Promise.resolve(A.more);', 'enum is not supported'],
  'resolved.ts': [
    'enum A { a }\nconst told = import.meta.resolve("./told.ts") && A[0] && "more";',
    'enum is not supported',
  ],
  'node_modules/below/machine.ts': ['const told: string = "more";', 'below node_modules'],
} as const;

let installed: Installed;
beforeAll(() => {
  installed = installPackage();
  for (const project of ['module', 'typeless']) makeProject(project);
  const { code, stderr } = installed.shell('mailroom init');
  if (code !== 0) throw new Error(`mailroom init ended with ${code}: ${stderr}`);
});
afterAll(() => installed[Symbol.dispose]());

function makeProject(project: string): void {
  write(`${project}/package.json`, project === 'module' ? '{ "type": "module" }' : '{}');
  const files = { ...PLAIN, 'told.ts': 'export type Told = string;', 'more.ts': 'export const more: string = "more";' };
  for (const [file, text] of Object.entries({ ...files, 'machine-of.ts': MACHINE })) write(`${project}/${file}`, text);
  for (const [file, [text]] of Object.entries(MORE)) {
    const up = '../'.repeat(file.split('/').length - 1) || './';
    // A package is one that says so, or it is taken for CommonJS.
    if (file.includes('/')) write(`${project}/${path.dirname(file)}/package.json`, '{ "type": "module" }');
    const imported = file.includes('/') ? MACHINE : `import { machineOf } from '${up}machine-of.ts';\n`;
    write(`${project}/${file}`, `${imported}${text}\nexport const machine = machineOf(told);\n`);
  }
}

function write(file: string, text: string): void {
  fs.mkdirSync(path.dirname(path.join(installed.empty, file)), { recursive: true });
  fs.writeFileSync(path.join(installed.empty, file), text);
}

let runs = 0;
function run(bin: string, file: string): ReturnType<Installed['shell']> {
  runs += 1;
  return installed.shell(`mailroom run ${file} --as m-${runs}`, { path: [bin, installed.bin] });
}

/** While it is there, tsx is installed beside the files. */
function withTsx(): Disposable & { readonly place: string } {
  const place = path.join(installed.empty, 'node_modules', 'tsx');
  fs.mkdirSync(path.dirname(place), { recursive: true });
  fs.symlinkSync(TSX, place);
  return { place, [Symbol.dispose]: () => fs.rmSync(place) };
}

/** Nothing but what a workflow tells of itself: no warning of Node's. */
const STARTED = /^\S+ \S+ {2}started +→ over \(done\)\n$/;

it.each(STRIPPING)('Node $name says why it takes a module for CommonJS, and what it says to do works', ({ bin }) => {
  // As `npm init` writes it.
  write('commonjs/package.json', '{ "type": "commonjs" }');
  for (const ending of ['ts', 'js']) {
    const text = `import { createMachine } from 'xstate';
export const machine = createMachine({ initial: 'over', output: 'old', states: { over: { type: 'final' } } });`;
    write(`commonjs/old.${ending}`, text);
    const refused = run(bin, `commonjs/old.${ending}`);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/^mailroom: .*could not be loaded: Cannot use import statement/m);
    expect(refused.stderr).toContain(`write "type": "module" there, or rename the file to old.m${ending}`);
    write(`commonjs/old.m${ending}`, text);
    expect(run(bin, `commonjs/old.m${ending}`)).toMatchObject({ code: 0, stdout: '"old"\n' });
  }
});

describe.each(['module', 'typeless'])('in a project that is %s', (project) => {
  const nodes = project === 'module' ? NODES : choice(NODES, ({ name }) => name === '26');

  it.each(nodes)('Node $name runs every file where tsx is installed', ({ bin }) => {
    using tsx = withTsx();
    expect(fs.existsSync(tsx.place)).toBe(true);
    for (const file of Object.keys({ ...PLAIN, ...MORE })) {
      // Without "type" tsx takes the file for CommonJS, which has no top-level await and no import.meta.resolve.
      if (project === 'typeless' && /^(?:awaited|resolved)/.test(file)) continue;
      const ran = run(bin, `${project}/${file}`);
      const expected = file.startsWith('plain') ? '"plain"\n' : '"more"\n';
      expect([file, ran.code, ran.stdout, ran.stderr]).toEqual([file, 0, expected, expect.stringMatching(STARTED)]);
    }
  });

  it.each(STRIPPING)(
    'Node $name runs plain TypeScript by itself, and says what it cannot run, why, and what to do',
    ({ bin }) => {
      for (const file of Object.keys(PLAIN)) {
        const ran = run(bin, `${project}/${file}`);
        expect([file, ran.code, ran.stdout, ran.stderr]).toEqual([
          file,
          0,
          '"plain"\n',
          expect.stringMatching(STARTED),
        ]);
      }
      for (const [file, [, why]] of Object.entries(MORE)) {
        const { code, stderr } = run(bin, `${project}/${file}`);
        expect([file, code]).toEqual([file, 2]);
        expect(stderr.replaceAll(/\s+/g, ' ')).toContain(`${file} could not be loaded`);
        expect(stderr).toContain(why);
        expect(stderr).toContain('npm install --save-dev tsx');
      }
    },
  );
});

it.each(NODES.filter((node) => !STRIPPING.includes(node)))(
  'Node $name names both remedies where there is no tsx',
  ({ bin }) => {
    const { code, stderr } = run(bin, 'module/plain.ts');
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/module\/plain\.ts could not be loaded: Node 20\S+ runs no/),
    ]);
    expect(stderr).toContain('npm install --save-dev tsx');
    expect(stderr).toContain('Node 22.18 or newer');
  },
);

describe('a machine that throws', () => {
  const atLine = (bin: string): string =>
    installed.shell('mailroom --debug run module/throws.ts', { path: [bin, installed.bin] }).stderr;
  beforeAll(() => {
    const lines = [
      'interface A {',
      '  readonly a: string;',
      '}',
      'const thrown = (): A => {',
      '  throw new Error("here");',
      '};',
    ];
    write('module/throws.ts', `${lines.join('\n')}\nthrown();\n`);
  });

  it.each(STRIPPING)('is shown with the line of its source by Node $name', ({ bin }) => {
    expect(atLine(bin)).toContain('module/throws.ts:5:');
  });

  it.each(NODES)('is shown with the line of its source by Node $name and tsx', ({ bin }) => {
    // More than stripping takes, so that it is tsx which runs it.
    fs.appendFileSync(path.join(installed.empty, 'module/throws.ts'), 'enum A { a }\n');
    using tsx = withTsx();
    expect([fs.existsSync(tsx.place), atLine(bin)]).toEqual([true, expect.stringContaining('module/throws.ts:5:')]);
  });
});

it.each(NODES)(
  'Node $name runs the machines that ship, without tsx, from the files that are there to be read',
  ({ bin }) => {
    const input = JSON.stringify({ question: 'Which?', options: ['a', 'b'], voters: ['nobody'], minutes: 0.001 });
    const poll = path.join(installed.directory, 'machines', 'poll.ts');
    runs += 1;
    const line = `mailroom run ${poll} --as poll-${runs} --input '${input}'`;
    const ran = installed.shell(line, { path: [bin, installed.bin] });
    expect([ran.code, JSON.parse(ran.stdout)]).toEqual([0, expect.objectContaining({ outcome: 'no-quorum' })]);
    const why = installed.shell(`mailroom why poll-${runs}`, { path: [bin, installed.bin] });
    expect([why.code, why.stderr]).toEqual([0, '']);
    for (const file of fs.readdirSync(path.dirname(poll)).filter((one) => /^(?!poll-).*\.ts$/.test(one))) {
      const graph = installed.shell(`mailroom graph ${path.dirname(poll)}/${file}`, { path: [bin, installed.bin] });
      expect([file, graph.code, graph.stderr]).toEqual([file, 0, '']);
      const compiled = path.join(installed.directory, 'dist', 'machines', file.replace(/ts$/, 'js'));
      const alone = installed.shell(`node ${compiled}`, { path: [bin, installed.bin] });
      expect([file, alone.code, alone.stderr]).toEqual([file, 1, expect.stringContaining('input: Invalid input')]);
    }
    const main = path.join(installed.directory, 'dist', 'machines', 'team', 'main.js');
    expect(installed.shell(`node ${main}`, { path: [bin, installed.bin] }).stderr).toContain('--repo <directory>');
  },
);
