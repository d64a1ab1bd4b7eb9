import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { choice } from '../run/amount.ts';
import { installPackage, type Installed } from './installed-package.ts';
import { fetched, fetchedNodes } from './runtimes.ts';
import { Tried, triesAgent, triesHooks, triesMachines, triesMail } from './smoke.ts';

let installed: Installed;
beforeAll(() => (installed = installPackage()));
afterAll(() => installed[Symbol.dispose]());

/** A Node says so on stderr when it is asked for what it will not do any more. */
const WARNING = /\bWarning\b|\bDEP\d{4}\b/;

/** In CI one of each kind on each Node; all endings, the oldest Node and the other runtimes in `test:long`. */
const FILES = choice(['m.js', 'm.mjs', 'm.cjs'], (file) => file !== 'm.mjs');
const TYPED = choice(['m.ts', 'm.mts'], (file) => file === 'm.ts');
const NODES = choice(fetchedNodes(), ({ name }) => !name.startsWith('20'));

describe.each(NODES)('on Node $name', ({ name, bin }) => {
  let tried: Tried;
  beforeAll(() => (tried = new Tried(installed, { name, runtime: [path.join(bin, 'node')] })));
  afterAll(() => tried[Symbol.dispose]());

  it('mail, hooks, machines, an agent and the library work, and nothing warns', async () => {
    triesMail(tried);
    triesHooks(tried);
    await triesMachines(tried, name.startsWith('20') ? FILES : [...FILES, ...TYPED]);
    await triesAgent(tried);
    expect(tried.program('library.mjs')).toMatchObject({ code: 0, stdout: '8080\n' });
    expect(tried.said).not.toMatch(WARNING);
  });
});

const OTHERS = [
  { name: 'bun', runtime: (directory: string) => [path.join(directory, 'bin', 'bun')] as const },
  { name: 'deno', runtime: (directory: string) => [path.join(directory, 'deno'), 'run', '--allow-all'] as const },
];

describe.each(choice(OTHERS, () => false))('on $name', ({ name, runtime }) => {
  const directory = fetched(name);

  it.skipIf(directory === undefined)('mail and the library work, and machines', async () => {
    using tried = new Tried(installed, { name, runtime: runtime(directory ?? '') });
    triesMail(tried);
    triesHooks(tried);
    expect(tried.program('library.mjs')).toMatchObject({ code: 0, stdout: '8080\n' });
    await triesMachines(tried, [...FILES, ...TYPED]);
  });
});
