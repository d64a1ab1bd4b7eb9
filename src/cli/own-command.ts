import { findProgram } from '../host/find-program.ts';
import { quote } from '../host/shell-word.ts';

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

/** What the command line said of who and where, in options, which no shell remembers. */
export interface Given {
  readonly as?: string | undefined;
  readonly room?: string | undefined;
}

/** A text with commands of ours, such as a hint, so that they do what is meant when they are pasted. */
export function inOwnWords(text: string, own: string, given: Given = {}): string {
  if (own === NAME && given.as === undefined && given.room === undefined) return text;
  return text.replace(QUOTED_OR_NAME, (found, at: number) =>
    found === NAME ? `${own}${saidAgain(text.slice(at + NAME.length), given)}` : found,
  );
}

/** Commands that act for somebody, whose mail it would be that another one reads. */
const OF_SOMEBODY =
  /^ (?:ack|broadcast|dead|inbox|leave|purge|read|release|renew|reply|send|status|watch|whoami)(?![\w-])/;
const OF_NO_ROOM = /^ (?:completion|help|hooks|init|version)(?![\w-])/;

/** The options to give once more, in front of a command's name, where the rest of its line does not have them. */
function saidAgain(rest: string, { as, room }: Given): string {
  const [line = ''] = rest.split('\n');
  const who = as !== undefined && OF_SOMEBODY.test(line) && !/ --as[ =]/.test(line) ? ` --as ${quote(as)}` : '';
  const isElsewhere = room !== undefined && !OF_NO_ROOM.test(line) && !/ --room[ =]/.test(line);
  return `${who}${isElsewhere ? ` --room ${quote(room)}` : ''}`;
}
