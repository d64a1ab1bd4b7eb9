// node run-wrapper.js <directory of the job> <number of the attempt>: started by hosts, in a session of its own.
import { nodeHost } from '../host/node-host.ts';
import { runWrapper } from './wrapper.ts';

const [directory = '', number = ''] = process.argv.slice(2);
// They are meant for the command, which is in the same group; whoever ends the wrapper loses the result.
const SHRUGGED_OFF = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGALRM'] as const;
for (const signal of SHRUGGED_OFF) process.on(signal, () => {});
await runWrapper(nodeHost, { directory, number: Number(number) });
