// node run-wrapper.js <directory of the job> <number of the attempt>: hosts start it, in a session of its own.
import { nodeHost } from '../host/node-host.ts';
import { runWrapper } from './wrapper.ts';

const [directory = '', number = ''] = process.argv.slice(2);
// Ignored, because they are meant for the command, which is in the same group; ending the wrapper would lose the result.
const IGNORED_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGALRM'] as const;
for (const signal of IGNORED_SIGNALS) process.on(signal, () => {});
await runWrapper(nodeHost, { directory, number: Number(number) });
