import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compilers, makeTypedProject, settings, type TypedProject } from './compilers.ts';

let project: TypedProject;
beforeAll(() => (project = makeTypedProject()));
afterAll(() => project[Symbol.dispose]());

describe.each(compilers())('TypeScript $version accepts all declarations', (compiler) => {
  it.each(settings())('$name', async ({ options }) => {
    expect(await project.compile(compiler, options)).toBe('');
  });
});
