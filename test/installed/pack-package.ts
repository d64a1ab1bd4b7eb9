import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..', '..');
/** What is packed, and what packs it. */
const PACKED = ['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE', 'dist', 'docs', 'machines', 'plugins'];

/** Makes a directory that is this checkout as far as packing goes: while npm packs, the manifest is another one, which no other test may see. */
export function copyCheckout(directory: string): void {
  for (const one of PACKED) fs.cpSync(path.join(ROOT, one), path.join(directory, one), { recursive: true });
  // Its folders hold other programs for tests and documents, and no part of the build.
  for (const one of fs.readdirSync(path.join(ROOT, '.ci'))) {
    if (fs.statSync(path.join(ROOT, '.ci', one)).isFile())
      fs.cpSync(path.join(ROOT, '.ci', one), path.join(directory, '.ci', one));
  }
}

/** Packs this package as `npm pack` does it, once for a process, into a directory that is there; returns the file. */
export function packPackage(directory: string): string {
  packed ??= pack(directory);
  const file = path.join(directory, packed.filename);
  fs.writeFileSync(file, packed.bytes);
  return file;
}

let packed: { readonly filename: string; readonly bytes: Buffer } | undefined;

function pack(directory: string): { readonly filename: string; readonly bytes: Buffer } {
  const checkout = path.join(directory, 'checkout');
  copyCheckout(checkout);
  const args = ['pack', '--json', '--pack-destination', directory];
  const printed = execFileSync('npm', args, { cwd: checkout, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  fs.rmSync(checkout, { recursive: true });
  const [{ filename }] = JSON.parse(printed) as [{ filename: string }];
  return { filename, bytes: fs.readFileSync(path.join(directory, filename)) };
}
