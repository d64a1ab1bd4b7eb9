import { buildSync } from 'esbuild';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..', '..');

/** Writes a program and all that it imports into one file, which starts in a quarter of the time that its sources take through tsx. */
export function bundleProgram(source: string, file: string): string {
  buildSync({
    stdin: { contents: source, resolveDir: ROOT, loader: 'ts' },
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // What is CommonJS asks for the modules of Node by `require`.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  return file;
}
