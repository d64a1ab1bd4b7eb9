// `npm start`: a team of agents builds a feature in a git repository; see `npm start -- --help`.
import { inspect } from 'node:util';
import { NotStarted, HELP, parseOptions } from './options.ts';
import { prepareRun } from './prepare.ts';
import { complain, tell } from './show.ts';

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.wantsHelp) tell(HELP);
  else {
    assertPosix();
    const prepared = await prepareRun(options);
    for (const warning of prepared.warnings) complain(warning);
    if (options.isDryRun) tell(prepared.plan);
    else {
      // Loaded only now that the run is known to be possible.
      const { carryOut } = await import('./carry-out.ts');
      process.exitCode = await carryOut(await prepared.open());
    }
  }
} catch (error) {
  const isUsage = error instanceof NotStarted;
  complain(isUsage ? error.message : inspect(error));
  process.exitCode = isUsage ? EXIT_USAGE : EXIT_FAILURE;
}

/** Throws NotStarted on native Windows, where a team would fail in the middle of work that has been paid for. */
function assertPosix(): void {
  if (process.platform !== 'win32') return;
  throw new NotStarted(
    'Native Windows cannot run a team: commands that outlive their host, and signals, need a POSIX system. Use WSL: https://aka.ms/wsl',
  );
}
