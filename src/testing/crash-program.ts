import { fileURLToPath } from 'node:url';

/** The program that runs workflows until it is killed, and how node is told to run it: what was built, or the sources through tsx. */
export function crashProgram({ isTypeScript }: { readonly isTypeScript: boolean }): {
  readonly program: string;
  readonly nodeArgs: readonly string[];
} {
  const isBuilt = import.meta.url.endsWith('.js');
  const program = fileURLToPath(new URL(`./crash-child.${isBuilt ? 'js' : 'ts'}`, import.meta.url));
  return { program, nodeArgs: isBuilt && !isTypeScript ? [] : ['--import', import.meta.resolve('tsx')] };
}
