import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ambiguousTypes, longFunctions } from './declarations.ts';
import { crumbViolations, fileViolations, keyPresses, longFiles } from './file-rules.ts';
import { cycles, importViolations, LAYERS, MACHINE_LAYERS, machineViolations, type Sources } from './import-rules.ts';

const SRC = join(import.meta.dirname, '..', '..', 'src');
const MACHINES = join(import.meta.dirname, '..', '..', 'machines');
const TEST = join(import.meta.dirname, '..');

/** Short files with one importer in their folder, and why each is one. */
const CRUMBS = {
  'cli/entries/hooked.ts': 'an entry of the build: a hook that has nothing to do never loads it',
  'cli/entries/rest.ts': 'an entry of the build: mail commands never load it',
  'cli/entries/run.ts': 'an entry of the build: other commands never load it',
  'host/sha256-module.ts': 'written by npm run write:sha256',
};

describe('the sources', () => {
  const sources = readSources(SRC);

  it('import only lower layers, packages only in their layers, and have no cycles', () => {
    console.log(`${sources.size} source files checked`);
    expect(sources.size).toBeGreaterThan(0);
    expect(importViolations(sources)).toEqual([]);
  });

  it('press no key in a terminal, as do the machines', () => {
    expect([...keyPresses(sources), ...keyPresses(readSources(MACHINES))]).toEqual([]);
  });

  it('are short, well named, and get clock, randomness and timers from the host', () => {
    expect(fileViolations(sources)).toEqual([]);
  });

  it('are no crumbs: a short file with one importer is merged into it', () => {
    expect(crumbViolations(sources, CRUMBS)).toEqual([]);
  });
});

describe('the sources and the machines', () => {
  const sources = new Map(
    [SRC, MACHINES].flatMap((root) => [...readSources(root)].map(([path, text]) => [`${root}/${path}`, text] as const)),
  );

  it('give each type name one meaning', () => {
    expect(ambiguousTypes(sources)).toEqual([]);
  });

  it('have no function that is longer than a screen', () => {
    expect(longFunctions(sources)).toEqual([]);
  });

  it('would be told of both', () => {
    const long = `function f() {\n${'  g();\n'.repeat(70)}}`;
    expect(longFunctions(seeded({ 'a.ts': long, 'b.ts': long.replace('  g();\n', '') }))).toEqual([
      'a.ts:1 (72 lines)',
      'b.ts:1 (71 lines)',
    ]);
    expect(longFunctions(seeded({ 'a.ts': `const f = () => {\n${'  g();\n'.repeat(68)}};` }))).toEqual([]);
    const twice = { 'a.ts': 'interface Same {}', 'b.ts': 'export type Same = 1;', 'c.ts': 'class Other {}' };
    expect(ambiguousTypes(seeded(twice))).toEqual(['Same: a.ts, b.ts']);
  });
});

describe('the machines', () => {
  const sources = readSources(MACHINES);

  it('import only lower layers, and have no cycles', () => {
    expect(sources.size).toBeGreaterThan(0);
    expect(machineViolations(sources)).toEqual([]);
  });

  it('are neither long nor crumbs', () => {
    expect([...longFiles(sources), ...crumbViolations(sources, {})]).toEqual([]);
  });
});

describe('the tests', () => {
  it('import one another without cycles', () => {
    expect(cycles(readSources(TEST))).toEqual([]);
  });
});

describe('the import rules', () => {
  it('accept a tree that follows them', () => {
    const accepted = seeded({
      'visible.ts': '',
      'errors.ts': `import { visible } from './visible.ts';`,
      'host/host.ts': `import fs from 'node:fs';\nexport const load = () => import('chokidar');`,
      'chain/chain.ts': `import { constants } from 'node:fs';\nimport type { Stats } from 'node:fs';\nimport '../host/host.ts';`,
      'room/room.ts': `import * as z from 'zod/mini';\nimport { join } from 'node:path';\nimport { a } from './card.ts';`,
      'room/card.ts': `import {\n  b,\n  type C,\n} from '../chain/chain.ts';\n// import('execa') would belong to host`,
      'index.ts': `export { room } from './room/room.ts';`,
      'cli/entries/mailroom.ts': `import process from 'node:process';\nimport { room } from '../../room/room.ts';`,
    });
    expect(importViolations(accepted)).toEqual([]);
  });

  const wrong: readonly [title: string, path: string, source: string, message: string][] = [
    ['a lower layer importing a higher one', 'chain/a.ts', `import { x } from '../room/x.ts';`, '"chain" comes before'],
    ['the same as a type', 'chain/a.ts', `import type { X } from '../room/x.ts';`, '"chain" comes before "room"'],
    ['the same as a re-export', 'host/a.ts', `export * from '../room/x.ts';`, '"host" comes before "room"'],
    ['the same loaded later', 'log/a.ts', `const x = () => import('../room/x.ts');`, '"log" comes before "room"'],
    ['the same over several lines', 'log/a.ts', `import {\n  x,\n} from '../room/x.ts';`, '"log" comes before "room"'],
    ['errors.ts importing anything', 'errors.ts', `import '../src/room/x.ts';`, 'no such file'],
    ['the index importing the command line', 'index.ts', `import './cli/main.ts';`, 'does not know its command line'],
    ['a layer importing the index', 'room/a.ts', `import { x } from '../index.ts';`, 'index.ts is for users'],
    ['a folder that is no layer', 'stuff/a.ts', '', '"stuff" is no layer'],
    ['a file that is not there', 'room/a.ts', `import { x } from './gone.ts';`, 'no such file'],
    ['node:fs outside host', 'mailbox/a.ts', `import fs from 'node:fs';`, 'only host touches the system'],
    ['its names outside host', 'cli/a.ts', `import { constants, openSync } from 'node:fs';`, 'only host touches'],
    ['node:fs/promises outside host', 'room/a.ts', `import { open } from 'node:fs/promises';`, 'only host touches'],
    ['fs without its prefix', 'room/a.ts', `import fs from 'fs';`, 'only host touches'],
    ['fs by require', 'cli/a.ts', `const fs = require('node:fs');`, 'only host touches'],
    [
      'node:child_process outside host',
      'room/a.ts',
      `import { spawn } from 'node:child_process';`,
      'only host touches',
    ],
    ['chokidar outside host', 'cli/a.ts', `const load = () => import('chokidar');`, 'only host may load chokidar'],
    ['execa outside host', 'room/a.ts', `import { execa } from 'execa';`, 'only host may load execa'],
    ['proper-lockfile outside host', 'chain/a.ts', `import lock from "proper-lockfile";`, 'only host may load'],
    [
      'zod below room',
      'message/a.ts',
      `import { z } from 'zod/mini';`,
      'only room, agents, workflow, step, journal, runtime, testing, cli may load zod',
    ],
    [
      'zod in host',
      'host/a.ts',
      `import { z } from 'zod';`,
      'only room, agents, workflow, step, journal, runtime, testing, cli may load zod',
    ],
    ['a package without a rule', 'room/a.ts', `import pad from 'left-pad';`, 'no rule for this'],
    ['random bytes outside host', 'message/a.ts', `import { randomUUID } from 'node:crypto';`, 'come from the host'],
  ];
  it.each(wrong)('refuse %s', (_title, path, source, message) => {
    const tree = seeded({ 'room/x.ts': '', 'cli/main.ts': '', 'index.ts': '', [path]: source });
    const violations = importViolations(tree);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(path);
    expect(violations[0]).toContain(message);
  });

  it('refuse each layer importing the next one', () => {
    const folders = LAYERS.filter((layer) => !layer.endsWith('.ts'));
    for (const [at, folder] of folders.entries()) {
      const above = folders[at + 1];
      if (above === undefined) continue;
      const tree = seeded({ [`${folder}/a.ts`]: `import { b } from '../${above}/b.ts';`, [`${above}/b.ts`]: '' });
      expect(importViolations(tree)).toEqual([expect.stringContaining(`"${folder}" comes before "${above}"`)]);
    }
  });

  it('refuse a machine that imports a higher layer, has no layer, or is in a cycle', () => {
    for (const [at, layer] of MACHINE_LAYERS.entries()) {
      const above = MACHINE_LAYERS[at + 1];
      if (above === undefined) continue;
      const tree = seeded({ [`${layer}.ts`]: `import { b } from './${above}/b.ts';`, [`${above}/b.ts`]: '' });
      expect(machineViolations(tree)).toEqual([expect.stringContaining('a layer above its own')]);
    }
    expect(machineViolations(seeded({ 'stuff/a.ts': '' }))).toEqual([expect.stringContaining('no layer')]);
    expect(machineViolations(seeded({ 'team/a.ts': `import './gone.ts';` }))).toEqual([
      expect.stringContaining('no such file'),
    ]);
    const circle = { 'team/a.ts': `import type { B } from './b.ts';`, 'team/b.ts': `import type { A } from './a.ts';` };
    expect(machineViolations(seeded(circle))).toEqual(['import cycle: team/a.ts → team/b.ts → team/a.ts']);
  });

  it('refuse a cycle of types within one folder', () => {
    const tree = seeded({
      'room/a.ts': `import type { B } from './b.ts';`,
      'room/b.ts': `import type { C } from './c.ts';`,
      'room/c.ts': `import type { A } from './a.ts';`,
    });
    expect(importViolations(tree)).toEqual(['import cycle: room/a.ts → room/b.ts → room/c.ts → room/a.ts']);
  });
});

describe('the file rules', () => {
  it('refuse a crumb, and an exception for a file that is none', () => {
    const short = { 'room/a.ts': '', 'room/b.ts': `import { a } from './a.ts';\n${'x\n'.repeat(40)}` };
    expect(crumbViolations(seeded(short), {})).toEqual([
      'room/a.ts has under 40 lines and one importer: merge it into room/b.ts',
    ]);
    expect(crumbViolations(seeded(short), { 'room/a.ts': 'a reason' })).toEqual([]);
    expect(crumbViolations(seeded(short), { 'room/a.ts': 'a reason', 'room/c.ts': 'gone' })).toEqual([
      'room/c.ts needs no exception any more',
    ]);
    for (const other of [
      { 'room/c.ts': `import { a } from './a.ts';\n${'x\n'.repeat(40)}` },
      { 'room/a.ts': 'x\n'.repeat(40) },
    ])
      expect(crumbViolations(seeded({ ...short, ...other }), {})).toEqual([]);
    const afar = { 'room/a.ts': '', 'mailbox/b.ts': `import { a } from '../room/a.ts';\n` };
    expect(crumbViolations(seeded(afar), {})).toEqual([]);
  });

  const wrong: readonly [title: string, path: string, source: string, message: string][] = [
    ['a file of 401 lines', 'room/a.ts', 'x\n'.repeat(401), '401 lines, the limit is 400'],
    ['utils.ts', 'room/utils.ts', '', '"utils" names no idea'],
    ['types.ts', 'types.ts', '', '"types" names no idea'],
    ['a folder called common', 'room/common/a.ts', '', '"common" names no idea'],
    ['camelCase file names', 'room/myRoom.ts', '', 'kebab-case'],
    ['process.exit', 'cli/a.ts', '\nprocess.exit(1);', 'cli/a.ts:2 calls process.exit('],
    ['console', 'room/a.ts', 'console.log(1);', 'calls console.log('],
    ['Date.now outside host', 'log/a.ts', 'const at = Date.now();', 'host.clock.now()'],
    ['new Date() outside host', 'log/a.ts', 'const at = new Date();', 'host.clock.now()'],
    ['Math.random outside host', 'log/a.ts', 'Math.random();', 'host.randomBytes()'],
    ['setTimeout outside host', 'log/a.ts', 'setTimeout(() => {}, 5);', 'host.clock.sleep()'],
  ];
  it.each(wrong)('refuse %s', (_title, path, source, message) => {
    expect(fileViolations(seeded({ [path]: source }))).toEqual([expect.stringContaining(message)]);
  });

  it.each(["run('tmux', ['send-keys', 'y'])", 'tmux paste-buffer', 'ioctl(fd, TIOCSTI)'])('refuse %s', (source) => {
    expect(keyPresses(seeded({ 'a.ts': `\n${source}` }))).toEqual([expect.stringContaining('a.ts:2 has')]);
  });

  it('accept files that follow them', () => {
    const accepted = { 'host/node-clock.ts': 'Date.now(); setTimeout(f, 1);', 'room/a.ts': 'x\n'.repeat(400) };
    const example = '/**\n * console.log(1);\n */';
    expect(fileViolations(seeded({ ...accepted, 'log/b.ts': 'new Date(time)', 'log/c.ts': example }))).toEqual([]);
  });
});

function readSources(directory: string): Sources {
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  return new Map(
    paths.toSorted().map((path) => [path.split(sep).join('/'), readFileSync(join(directory, path), 'utf8')]),
  );
}

function seeded(files: Readonly<Record<string, string>>): Sources {
  return new Map(Object.entries(files));
}
