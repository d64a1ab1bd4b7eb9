import { createRequire } from 'node:module';
import path from 'node:path';
import { shellWord } from './shell-word.ts';

/** Whether this file is TypeScript source, which node runs through tsx, or its compiled form. */
export const IS_SOURCE = import.meta.url.endsWith('.ts');

/** The directory of this package. */
export const PACKAGE = path.dirname(createRequire(import.meta.url).resolve('agent-mailroom/package.json'));

/** The file of one of the package's machines, or of a program beside them. */
export function machineFile(name: string): string {
  return IS_SOURCE
    ? path.join(PACKAGE, 'machines', `${name}.ts`)
    : path.join(PACKAGE, 'dist', 'machines', `${name}.js`);
}

/** The script of the `mailroom` command, to be run with node. */
export const MAILROOM = path.join(PACKAGE, 'dist', 'cli', 'mailroom.cjs');

/** A command for any shell, independent of what is installed as `mailroom` there. */
export const MAILROOM_COMMAND = `node ${shellWord(MAILROOM)}`;
