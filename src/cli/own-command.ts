import { findProgram } from '../host/find-program.ts';
import { quote } from './shell-words.ts';

const NAME = 'mailroom';
/** What npm and npx put in front of PATH for the programs that they start, and nobody's shell has. */
const ONLY_WITHIN_NPM = /\/node_modules\/\.bin\/?$/;

/**
 * A word of a hint at which a command of ours begins. A word in single quotes comes first: what is in it is not ours, such
 * as the content of a message in a command to repeat.
 */
const QUOTED_OR_NAME = /(?<![^\s(=|])'(?:[^']|'\\'')*'|(?<![\w./@-])mailroom(?= (?:-|<|[a-z]))/g;

export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/**
 * What runs this very program in the shell of whoever started it: `mailroom` where that finds this copy of it, else node
 * with the path. `program` is the file of the command `mailroom`, links followed.
 */
export function ownCommand(program: string, { env, cwd }: Shell): string {
  const isInNpm = env['npm_execpath'] !== undefined || env['npm_config_user_agent'] !== undefined;
  const directories = (env['PATH'] ?? '').split(':').filter((one) => !isInNpm || !ONLY_WITHIN_NPM.test(one));
  const path = directories.join(':');
  if (findProgram(NAME, { path, cwd }) === program) return NAME;
  const node = findProgram('node', { path, cwd }) === undefined ? quote(process.execPath) : 'node';
  return `${node} ${quote(program)}`;
}

/** A text with commands of ours, such as a hint, so that they run when they are pasted. */
export function inOwnWords(text: string, own: string): string {
  return own === NAME ? text : text.replace(QUOTED_OR_NAME, (found) => (found === NAME ? own : found));
}
