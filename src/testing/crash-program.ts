import { fileURLToPath } from 'node:url';
import { resolveModule } from '../host/resolve-module.ts';

/** The program that runs workflows until it is killed, and how node is told to run it: what was built, or the sources through tsx. */
export function crashProgram({ isTypeScript }: { readonly isTypeScript: boolean }): {
  readonly program: string;
  readonly nodeArgs: readonly string[];
} {
  const isBuilt = import.meta.url.endsWith('.js');
  const program = fileURLToPath(new URL(`./crash-child.${isBuilt ? 'js' : 'ts'}`, import.meta.url));
  // Where tsx runs this as CommonJS, import.meta has no way to resolve.
  const tsx = resolveModule('tsx', fileURLToPath(import.meta.url)) ?? 'tsx';
  return { program, nodeArgs: isBuilt && !isTypeScript ? [] : ['--import', tsx] };
}
