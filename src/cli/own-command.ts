import { findProgram } from '../host/find-program.ts';
import { quote } from '../host/shell-word.ts';

const NAME = 'mailroom';
/** A directory that npm and npx prepend to PATH for the programs they start; users' shells do not have it. */
const ONLY_WITHIN_NPM = /\/node_modules\/\.bin\/?$/;

/**
 * The start of a `mailroom` command in a hint. Words in single quotes match first, because what is in them, such as the
 * content of a message in a command to repeat, is not to be rewritten.
 */
const QUOTED_OR_NAME = /(?<![^\s(=|])'(?:[^']|'\\'')*'|(?<![\w./@-])mailroom(?= (?:-|<|[a-z]))/g;

export interface ShellFacts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/**
 * The command that runs this same program from the user's shell: `mailroom` if PATH leads to this copy, else node with the
 * path. `program` is the file of the command `mailroom`, with symbolic links resolved.
 */
export function ownCommand(program: string, { env, cwd }: ShellFacts): string {
  const isInNpm = env['npm_execpath'] !== undefined || env['npm_config_user_agent'] !== undefined;
  const directories = (env['PATH'] ?? '').split(':').filter((one) => !isInNpm || !ONLY_WITHIN_NPM.test(one));
  const path = directories.join(':');
  if (findProgram(NAME, { path, cwd }) === program) return NAME;
  const node = findProgram('node', { path, cwd }) === undefined ? quote(process.execPath) : 'node';
  return `${node} ${quote(program)}`;
}

/** The address and room that were given as options, and so must be given again. */
export interface Given {
  readonly as?: string | undefined;
  readonly room?: string | undefined;
}

/** Rewrites the `mailroom` commands in a text, such as a hint, so that they run this program with the given options when pasted. */
export function inOwnWords(text: string, own: string, given: Given = {}): string {
  if (own === NAME && given.as === undefined && given.room === undefined) return text;
  return text.replace(QUOTED_OR_NAME, (found, at: number) =>
    found === NAME ? `${own}${saidAgain(text.slice(at + NAME.length), given)}` : found,
  );
}

/** Commands that act for an address: without --as they might read another agent's mail. */
const OF_SOMEBODY =
  /^ (?:ack|broadcast|dead|inbox|leave|purge|read|release|renew|reply|send|status|watch|whoami)(?![\w-])/;
const OF_NO_ROOM = /^ (?:completion|help|hooks|init|version)(?![\w-])/;

/** The options to repeat before a command's name, if the rest of its line does not have them. */
function saidAgain(rest: string, { as, room }: Given): string {
  const [line = ''] = rest.split('\n');
  const who = as !== undefined && OF_SOMEBODY.test(line) && !/ --as[ =]/.test(line) ? ` --as ${quote(as)}` : '';
  const isElsewhere = room !== undefined && !OF_NO_ROOM.test(line) && !/ --room[ =]/.test(line);
  return `${who}${isElsewhere ? ` --room ${quote(room)}` : ''}`;
}
