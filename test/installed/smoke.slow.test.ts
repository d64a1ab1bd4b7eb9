import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackage, type Installed } from './installed-package.ts';
import { fetched, fetchedNodes } from './runtimes.ts';
import { Tried, triesAgent, triesHooks, triesMachines, triesMail } from './smoke.ts';

let installed: Installed;
beforeAll(() => (installed = installPackage()));
afterAll(() => installed[Symbol.dispose]());

/** A Node says so on stderr when it is asked for what it will not do any more. */
const WARNING = /\bWarning\b|\bDEP\d{4}\b/;

const FILES = ['m.js', 'm.mjs', 'm.cjs'];
const TYPED = ['m.ts', 'm.mts'];

describe.each(fetchedNodes())('on Node $name', ({ name, bin }) => {
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

describe.each([
  { name: 'bun', runtime: (directory: string) => [path.join(directory, 'bin', 'bun')] as const },
  { name: 'deno', runtime: (directory: string) => [path.join(directory, 'deno'), 'run', '--allow-all'] as const },
])('on $name', ({ name, runtime }) => {
  const directory = fetched(name);

  it.skipIf(directory === undefined)('mail and the library work, and machines', async () => {
    using tried = new Tried(installed, { name, runtime: runtime(directory ?? '') });
    triesMail(tried);
    triesHooks(tried);
    expect(tried.program('library.mjs')).toMatchObject({ code: 0, stdout: '8080\n' });
    await triesMachines(tried, [...FILES, ...TYPED]);
  });
});
