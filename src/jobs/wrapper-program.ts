import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How to start the wrapper: what was built lies beside this module, and its source is run through tsx. */
export function wrapperProgram(): { readonly file: string; readonly args: readonly string[]; readonly cwd: string } {
  const isSource = import.meta.url.endsWith('.ts');
  const program = fileURLToPath(new URL(isSource ? 'run-wrapper.ts' : 'run-wrapper.js', import.meta.url));
  // Node looks for tsx from the working directory on, which may be anywhere for the host.
  return { file: process.execPath, args: [...(isSource ? ['--import', 'tsx'] : []), program], cwd: dirname(program) };
}
