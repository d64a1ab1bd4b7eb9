import { blockingHost } from '../../host/node-host.ts';
import type { CliCommand } from '../command.ts';
import { printOverview } from '../commands/help.ts';
import { createVersion } from '../commands/version.ts';
import { runCommandLine } from '../run-command.ts';

declare const MAILROOM_HELP: string;
declare const MAILROOM_VERSION: string;

/** Runs `help` without a command, and `--version`: what people ask first, and how scripts check whether Mailroom is installed. */
const VERSION = ['--version', '-v', '-V'];

const words = process.argv.slice(2);
const overview: CliCommand = {
  name: 'help',
  summary: '',
  operands: [],
  options: [],
  details: '',
  run: (call) => printOverview(call, MAILROOM_HELP),
};
const command = VERSION.includes(words[0] ?? '') ? createVersion(MAILROOM_VERSION) : overview;
void runCommandLine([command.name], {
  find: () => command,
  // No further help can be asked for.
  explain: () => Promise.resolve(),
  host: blockingHost,
  program: `${__dirname}/mailroom.cjs`,
  nudgeProgram: `${__dirname}/nudge.cjs`,
}).then(() => blockingHost.processes.end());
