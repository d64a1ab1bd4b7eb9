import { afterAll, beforeAll, expect, it } from 'vitest';
import { compilers, makeTypedProject, settings, type TypedProject } from './compilers.ts';

let project: TypedProject;
beforeAll(() => (project = makeTypedProject()));
afterAll(() => project[Symbol.dispose]());

const ALL = compilers();
/** The oldest compiler takes ten seconds per setting. The other versions and settings are in test:long. */
const TRIED = [
  ...ALL.slice(0, 1).flatMap((compiler) =>
    settings()
      .slice(-1)
      .map((setting) => ({ compiler, ...setting })),
  ),
  ...ALL.slice(1)
    .slice(-1)
    // Each way to find modules, and each way to name types, once.
    .flatMap((compiler) =>
      settings()
        .filter((_setting, at) => at % 4 === 0)
        .map((setting) => ({ compiler, ...setting })),
    ),
];

it.each(TRIED)('TypeScript $compiler.version accepts all declarations: $name', async ({ compiler, options }) => {
  expect(await project.compile(compiler, options)).toBe('');
});
