import fs from 'node:fs';
import path from 'node:path';

const MODULES = path.join(import.meta.dirname, '..', '..', '.ci', 'runtimes', 'node_modules');

/** The Nodes that the package is tried with, beside the one that runs the tests. */
const NODES = ['20.19', '22', '24', '26'] as const;

/** How to get what is missing; the tests do without on a developer's machine, and not in CI. */
const FETCH_RUNTIMES = 'fetch it: npm ci --ignore-scripts --prefix .ci/runtimes';

/** The directory of one of the packages of .ci/runtimes; undefined, and a line for the reader, where it was not fetched. */
export function fetched(name: string): string | undefined {
  const directory = path.join(MODULES, name);
  if (fs.existsSync(directory)) return directory;
  const isThere = process.platform === 'linux' && process.arch === 'x64';
  if (isThere && process.env['MAILROOM_CI'] !== undefined)
    throw new Error(`${name} is missing in ${MODULES}; ${FETCH_RUNTIMES}`);
  console.log(`not tried with ${name}; ${FETCH_RUNTIMES}`);
  return undefined;
}

/** The Nodes that were fetched, each by its name and the directory of its program. */
export function fetchedNodes(): readonly { readonly name: string; readonly bin: string }[] {
  return NODES.flatMap((name) => {
    const directory = fetched(`node-${name}`);
    return directory === undefined ? [] : [{ name, bin: path.join(directory, 'bin') }];
  });
}
