import { parseHookEvent } from '../../hooks/hook-event.ts';
import { directoryOf, lookQuickly } from '../../hooks/quick-look.ts';
import { startWaiter } from '../../hooks/start-waiter.ts';
import { JOB_VARIABLE } from '../../jobs/job-files.ts';
import { nodeClock } from '../../host/node-clock.ts';
import { blockingFileSystem } from '../../host/node-file-system.ts';
import { nodeProcesses } from '../../host/node-processes.ts';

const STDIN = 0;
const READ_BYTES = 64 * 1024;
/** The event may contain the output of a tool. */
const INPUT_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Runs `hook <program> <event>`, which a program calls at each turn and each tool call. Most calls find nothing new, and end
 * before anything is loaded that mail needs. The event is JSON on the standard input, or a third operand. A command line that
 * is not a hook goes to `explain`, for a person who asks.
 */
export async function runLine(
  words: readonly string[],
  explain: (words: readonly string[]) => Promise<void>,
  input?: string,
): Promise<void> {
  const [, program = '', name = '', given, ...more] = words;
  if (name === '' || more.length > 0 || program.startsWith('-')) return explain(['help', 'hook']);
  // A program that Mailroom itself has started gets its mail from the process that started it.
  if (process.env[JOB_VARIABLE] !== undefined) {
    process.exitCode = 0;
    return;
  }
  const text = input ?? given ?? readInput();
  try {
    const event = parseHookEvent(text, { program, name });
    const named = process.env['MAILROOM_DIR'] || undefined;
    const host = { files: blockingFileSystem, clock: nodeClock, processes: nodeProcesses };
    const found = lookQuickly(host, event, { named, cwd: directoryOf(event, process.env) ?? process.cwd() });
    if (found === 'nothing-new') startWaiter(nodeProcesses, event, `${__dirname}/mailroom.cjs`);
    if (found !== 'something') {
      process.exitCode = 0;
      return;
    }
  } catch {
    // The full hook below meets the same fault, and knows where to report it.
  }
  const { carryOut } = await import('./hooked.ts');
  await carryOut(text, { program, name });
}

/** Reads the standard input, up to a bound. Blocks, because a hook has nothing else to do. */
function readInput(): string {
  const parts: Buffer[] = [];
  for (let length = 0; length <= INPUT_BYTES_MAX;) {
    const part = Buffer.allocUnsafe(READ_BYTES);
    let count: number;
    try {
      count = blockingFileSystem.read(STDIN, part, 0, part.length, null);
    } catch {
      // No input, or unreadable input: then what was read is not JSON, and that is reported.
      break;
    }
    if (count === 0) break;
    parts.push(part.subarray(0, count));
    length += count;
  }
  return Buffer.concat(parts).toString('utf8');
}
