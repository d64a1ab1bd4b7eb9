import { createRequire } from 'node:module';
import path from 'node:path';
import { shellWord } from './shell-word.ts';

/** Whether this is a source, which node runs through tsx, or what was compiled of it. */
export const IS_SOURCE = import.meta.url.endsWith('.ts');

/** The directory of this very package. */
export const PACKAGE = path.dirname(createRequire(import.meta.url).resolve('agent-mailroom/package.json'));

/** The file of one of its machines, or of a program beside them. */
export function machineFile(name: string): string {
  return IS_SOURCE
    ? path.join(PACKAGE, 'machines', `${name}.ts`)
    : path.join(PACKAGE, 'dist', 'machines', `${name}.js`);
}

/** The file of its command `mailroom`, for node. */
export const MAILROOM = path.join(PACKAGE, 'dist', 'cli', 'mailroom.cjs');

/** A command that runs in any shell, whatever is installed or called `mailroom` there. */
export const MAILROOM_COMMAND = `node ${shellWord(MAILROOM)}`;
