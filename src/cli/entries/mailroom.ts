import { blockingHost, nodeHost } from '../../host/node-host.ts';
import type { CliCommand } from '../command.ts';
import { splitLine } from '../command-spec.ts';
import { ack } from '../commands/ack.ts';
import { broadcast } from '../commands/broadcast.ts';
import { inbox } from '../commands/inbox.ts';
import { read } from '../commands/read.ts';
import { release } from '../commands/release.ts';
import { renew } from '../commands/renew.ts';
import { reply } from '../commands/reply.ts';
import { send } from '../commands/send.ts';
import { status } from '../commands/status.ts';
import { whoami } from '../commands/whoami.ts';
import { runCommandLine } from '../run-command.ts';

/** The commands that agents run for every message, which have to start fast. Everything else is in another file. */
const MAIL: readonly CliCommand[] = [send, inbox, read, reply, ack, broadcast, status, whoami, release, renew];

const words = process.argv.slice(2);
const { name, asks } = splitLine(words);
const command = asks ? undefined : MAIL.find((one) => one.name === name);
const nudgeProgram = `${__dirname}/nudge.cjs`;
const program = `${__dirname}/mailroom.cjs`;
const explain = async (asked: readonly string[]): Promise<void> =>
  (await import('./rest.ts')).runAny(asked, { nudgeProgram });
// Only a broadcast waits for several writes to the disk at once.
const host = command === broadcast ? nodeHost : blockingHost;
if (command) {
  const done = runCommandLine(words, { find: () => command, explain, host, program, nudgeProgram });
  // Everything is done; exiting at once takes less time than freeing the memory piece by piece.
  void done.then(() => host.processes.end());
} else void explain(words);
