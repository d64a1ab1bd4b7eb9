import { fileURLToPath } from 'node:url';
import { InvalidInput } from '../errors.ts';
import { resolveModule } from '../host/resolve-module.ts';
import { isTypeScriptLoaded } from '../host/tsx-loader.ts';

/**
 * The program that runs workflows until it is killed, and how node is told to run it, and the file of a machine in TypeScript:
 * through tsx where that is installed beside the file or here. Throws InvalidInput where nothing can run it.
 */
export function crashProgram({ typeScript }: { readonly typeScript: string | undefined }): {
  readonly program: string;
  readonly nodeArgs: readonly string[];
} {
  const isBuilt = import.meta.url.endsWith('.js');
  const program = fileURLToPath(new URL(`./crash-child.${isBuilt ? 'js' : 'ts'}`, import.meta.url));
  if (isBuilt && typeScript === undefined) return { program, nodeArgs: [] };
  // Where tsx runs this as CommonJS, import.meta has no way to resolve.
  const [tsx] = [typeScript ?? program, program].flatMap((file) => resolveModule('tsx', file) ?? []);
  if (tsx !== undefined) return { program, nodeArgs: ['--import', tsx] };
  if (isTypeScriptLoaded()) return { program, nodeArgs: [] };
  throw new InvalidInput(`Node ${process.versions.node} runs no TypeScript (${typeScript ?? program}).`, {
    hint: 'Install tsx beside it (npm install --save-dev tsx), or use Node 22.18 or newer.',
  });
}
