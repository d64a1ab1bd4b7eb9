import { fileURLToPath } from 'node:url';

/** How node is told to run the program of one run: what was built, or the sources through tsx. */
export function crashProgram({ isTypeScript }: { readonly isTypeScript: boolean }): string[] {
  const isBuilt = import.meta.url.endsWith('.js');
  const program = fileURLToPath(new URL(`./crash-child.${isBuilt ? 'js' : 'ts'}`, import.meta.url));
  return isBuilt && !isTypeScript ? [program] : ['--import', import.meta.resolve('tsx'), program];
}
