// `npm start`: a team of agents builds a feature in a git repository; see `npm start -- --help`.
import { HELP, parseOptions, wantsHelp } from './command-line.ts';
import { endWith, EXIT_OK, startRun } from './command.ts';
import { tell } from './show.ts';

process.exitCode = await endWith(async () => {
  const words = process.argv.slice(2);
  if (!wantsHelp(words)) return startRun(parseOptions(words));
  tell(HELP);
  return EXIT_OK;
});
