import { parseArgs } from 'node:util';
import { FLAGS, NotStarted, optionsOf, type Options, VALUES } from './options.ts';

export const HELP = `npm start                                         the example: four scripted agents build a feature
npm start -- --repo <path> --feature <text|@file> --agents <list>

The second form is mailroom team start, whose options are explained by mailroom help team. The options of the example:

  --runs <directory>    where runs are kept. Default: runs
  --max-hours <number>  stop after this many hours. Default: 8
  --tmux                give each agent a pane of its own
  --new                 start a new run although an earlier one has not ended
  --force               keep the run on a network file system, which then only this machine may use
  --dry-run             show what would be done, and do nothing

An interrupted run resumes when the same command is repeated, whatever interrupted it.`;

/** Whether the help of `npm start` is asked for. */
export function wantsHelp(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('-h');
}

/** The options of `npm start`. Throws NotStarted. */
export function parseOptions(args: readonly string[]): Options {
  const { agents, ...values } = parsed(args);
  const given = new Map(Object.entries(values).filter(isGiven));
  if (Array.isArray(agents)) given.set('agents', agents.join(','));
  const options = optionsOf(given);
  if (options.repo !== undefined && options.feature === undefined)
    throw new NotStarted('--repo requires --feature. See: npm start -- --help');
  if (options.repo !== undefined) return options;
  if (options.feature !== undefined || options.agents !== undefined)
    throw new NotStarted('--feature and --agents are for a repository of your own: add --repo <path>.');
  if (options.wantsPullRequest)
    throw new NotStarted('--pull-request is for a repository of your own: add --repo <path>.');
  return options;
}

function isGiven(entry: [string, unknown]): entry is [string, string | true] {
  return typeof entry[1] === 'string' || entry[1] === true;
}

function parsed(args: readonly string[]): Readonly<Record<string, unknown>> {
  const values = VALUES.map((name) => [name, { type: 'string', multiple: name === 'agents' }] as const);
  const flags = FLAGS.map((name) => [name, { type: 'boolean' }] as const);
  try {
    return parseArgs({ args: [...args], options: Object.fromEntries([...values, ...flags]) }).values;
  } catch (error) {
    throw new NotStarted(`${(error as Error).message} See: npm start -- --help`);
  }
}
