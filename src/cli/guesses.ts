import { nearest } from '../message/nearest.ts';
import { COMMON_OPTIONS, type CommandSpec } from './command-spec.ts';
import { CONTENT_CHARS_SHOWN_MAX, correctionOf, isComplete, type Line } from './correct-post.ts';
import { usageOf } from './help-text.ts';
import { commandLine } from './shell-words.ts';

/** Names that people guess (`said`) and the command meant by them: `alone`, and `withWords` if further words change the meaning. */
const GUESSES: readonly { readonly alone: string; readonly withWords?: string; readonly said: string }[] = [
  { alone: 'inbox', said: 'check-inbox check-mail list ls mails messages new pending poll unread' },
  { alone: 'inbox', withWords: 'status', said: 'check' },
  { alone: 'inbox', withWords: 'read', said: 'cat open show view' },
  { alone: 'inbox', withWords: 'send', said: 'mail message' },
  { alone: 'read', said: 'receive recv get fetch pull next read-mail' },
  { alone: 'read --wait 5m', said: 'await sleep wait wait-for' },
  { alone: 'read --hold', said: 'claim hold' },
  { alone: 'send', said: 'dm msg notify post say tell text write send-message' },
  { alone: 'send QUESTION', said: 'ask question query' },
  { alone: 'broadcast', said: 'all announce everyone publish send-all' },
  { alone: 'reply', said: 'answer respond re' },
  { alone: 'ack', said: 'acknowledge acked done handled mark-read resolve' },
  { alone: 'release', said: 'defer nack requeue unclaim' },
  { alone: 'renew', said: 'extend' },
  { alone: 'join', said: 'connect enter login register signup' },
  { alone: 'leave', said: 'bye disconnect exit logout quit unregister' },
  { alone: 'init', said: 'bootstrap initialize setup' },
  { alone: 'init', withWords: 'run', said: 'start' },
  { alone: 'whoami', said: 'id identity me' },
  { alone: 'agents', said: 'contacts list-agents members online participants peers ps roster users who' },
  { alone: 'log', said: 'audit events history logs' },
  { alone: 'watch', said: 'follow listen monitor stream subscribe tail' },
  { alone: 'status', said: 'delivery track where' },
  { alone: 'doctor', said: 'diagnose health' },
  { alone: 'help', said: 'commands man usage' },
];
/** Verbs in front of what is to be listed: `list agents`. */
const LISTING = ['check', 'get', 'list', 'ls', 'show', 'view'];
/** A duration as people type it: 5m, 300, --timeout=5m. */
const TIME = /^(?:--?[a-z-]+=)?(\d+)(ms|s|m|h|d)?$/;

/** A hint for a line whose command does not exist; undefined if no command comes near. */
export function guessOf(commands: readonly CommandSpec[], { words, at }: Line): string | undefined {
  const [before, name, [what, ...others]] = [words.slice(0, at), words[at] ?? '', words.slice(at + 1)];
  if (plain(name) === 'version') return `Did you mean: ${commandLine([...before, '--version'])}`;
  const isListing = LISTING.includes(plain(name)) && what !== undefined;
  const listed = isListing ? meantBy(commands, what, others) : undefined;
  if (listed) return hintFor(commands, { before, meant: listed, after: others });
  const after = words.slice(at + 1);
  const near = (): string | undefined =>
    nearest(
      name,
      commands.map((one) => one.name),
    );
  const meant = meantBy(commands, name, after) ?? near()?.split(' ');
  return meant && hintFor(commands, { before, meant, after });
}

/** `Check_Mail` is `check-mail`. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** The words of the command that has this name, here or in other programs. */
function meantBy(
  commands: readonly CommandSpec[],
  name: string,
  after: readonly string[],
): readonly string[] | undefined {
  if (commands.some((one) => one.name === name)) return [name];
  const guess = GUESSES.find(({ said }) => said.split(' ').includes(plain(name)));
  const hasWords = after.some((word) => !word.startsWith('-'));
  return guess && ((hasWords && guess.withWords) || guess.alone).split(' ');
}

interface Guessed {
  readonly before: readonly string[];
  readonly meant: readonly string[];
  readonly after: readonly string[];
}

/** The command with as many of the given words as it takes, or else its usage. */
function hintFor(commands: readonly CommandSpec[], { before, meant, after }: Guessed): string | undefined {
  const [name = '', ...more] = meant;
  const command = commands.find((one) => one.name === name);
  if (!command) return undefined;
  if (before.includes('help')) return `Did you mean: ${commandLine([...before, name])}`;
  const isToSend = command.operands.some(({ completes }) => completes === 'type');
  const given = more[0] === '--wait' ? waiting(command, after) : isToSend ? after : [...more, ...after];
  const flags = after.filter((word) => word.startsWith('-'));
  for (const words of [given, isToSend ? given : [...more, ...flags], isToSend ? given : more]) {
    const isLong = isToSend && words.some((word) => word.length > CONTENT_CHARS_SHOWN_MAX);
    if (isLong || !isComplete(command, [...before, ...words])) continue;
    const line = commandLine([...before, name, ...words]);
    return `Did you mean: ${name === 'join' ? `eval "$(${line})"` : line}`;
  }
  const line = { words: [...before, name, ...after], at: before.length };
  const usage = name === 'join' ? `eval "$(${usageOf(command)})"` : usageOf(command);
  return correctionOf(command, line, more[0]) ?? `Did you mean: ${usage}? See: mailroom help ${name}`;
}

/** The words after `read` for a line that means to wait, however it gives the duration. */
function waiting(command: CommandSpec, after: readonly string[]): readonly string[] {
  const isOption = (word: string | undefined): boolean =>
    [...command.options, ...COMMON_OPTIONS].some(({ name, value }) => value !== undefined && word === `--${name}`);
  const timeAt = after.findIndex((word, at) => TIME.test(word) && !isOption(after[at - 1]));
  const [, count = '5', unit = timeAt < 0 ? 'm' : 's'] = TIME.exec(after[timeAt] ?? '') ?? [];
  const left = after.filter((word, at) => {
    if (isOption(after[at - 1])) return true;
    return word.startsWith('-') && at !== timeAt && at !== timeAt - 1;
  });
  return ['--wait', `${count}${unit}`, ...left];
}
