// `npm start`: a team of agents builds a feature in a git repository; see `npm start -- --help`.
import { NotStarted, HELP, parseOptions } from './options.ts';
import { prepareRun } from './prepare.ts';

const EXIT_USAGE = 2;

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.wantsHelp) console.log(HELP);
  else {
    const prepared = await prepareRun(options);
    for (const warning of prepared.warnings) console.error(warning);
    if (options.isDryRun) console.log(prepared.plan);
    else {
      // Loaded when it is known that there is something to do.
      const { carryOut } = await import('./carry-out.ts');
      process.exitCode = await carryOut(await prepared.open());
    }
  }
} catch (error) {
  if (!(error instanceof NotStarted)) throw error;
  console.error(error.message);
  process.exitCode = EXIT_USAGE;
}
