import { MailroomError, MessageDeliveryError } from '../../src/errors.ts';
import type { FileSystem } from '../../src/host/file-system.ts';
import { armable, operations } from '../../fixtures/crash/operations.ts';
import type { FaultyFiles } from '../faults/faulty-files.ts';
import { healthyHost } from './look.ts';
import { lib } from './prepared.ts';
import type { Seen } from './promises.ts';
import type { Scenario, Where } from './scenario.ts';

/** What one operation on a faulty file system came to. */
export interface FaultRun extends Seen {
  readonly error: unknown;
  /** Descriptors opened and not closed. */
  readonly leaked: number;
}

interface Report {
  readonly outcomes?: Readonly<Record<string, { readonly outcome: string }>>;
  readonly claimed?: readonly string[];
}

/** Does the operation in this process; the fault is in the calls that it makes once the room is open. */
export async function runFaulty(
  scenario: Scenario,
  { directory, faulty, counted }: { directory: string; faulty: FaultyFiles; counted: CountedDescriptors },
): Promise<FaultRun> {
  const { files, arm } = armable(counted.files, faulty.files);
  const { operation, args = {} } = scenario;
  const handed: string[] = [];
  let report: Report | undefined;
  let error: unknown;
  try {
    const host = { ...healthyHost, files };
    const hand = (content: string): number => handed.push(content);
    await operations[operation]({ lib, host, directory, args, arm, hand, report: (told) => (report = told as Report) });
  } catch (caught) {
    error = caught;
  }
  const hasSucceeded = report !== undefined && succeeded(scenario, report);
  const liesIn = (recipient: string): readonly Where[] | undefined =>
    placesToldOf(scenario, { recipient, report, handed, error });
  return { directory, hasSucceeded, liesIn, isAlive: true, error, leaked: counted.open() };
}

function succeeded({ subject }: Scenario, { outcomes, claimed }: Report): boolean {
  if (outcomes) return Object.values(outcomes).every(({ outcome }) => outcome === 'delivered');
  // A reader that passes a message over because a call failed is told of the others.
  if (claimed) return subject?.to === 'held' && claimed.includes('subject');
  return true;
}

/** Where the subject must be, by what the user was told. */
function placesToldOf(
  { subject, operation }: Scenario,
  told: { recipient: string; report: Report | undefined; handed: readonly string[]; error: unknown },
): readonly Where[] | undefined {
  if (!subject) return undefined;
  const { from, to } = subject;
  const { recipient, report, handed, error } = told;
  if (report?.outcomes) {
    const outcome = report.outcomes[recipient]?.outcome;
    return outcome === 'delivered' ? [to] : outcome === 'failed' ? ['nowhere'] : [from, to];
  }
  // A reader is told what it can read; only what it would be handed says where the message lies.
  const isReader = operation === 'read' || operation === 'claim';
  if (isReader && to === 'held') return handed.includes('subject') ? [to] : [from, 'open'];
  if (isReader) return undefined;
  // What a reply says of its own delivery says nothing of the question, which then was not acknowledged.
  if (error instanceof MessageDeliveryError && operation !== 'reply')
    return error.outcome === 'failed' ? ['nowhere'] : [from, to];
  if (error instanceof MailroomError) return [from];
  return undefined;
}

export interface CountedDescriptors {
  readonly files: FileSystem;
  readonly open: () => number;
}

/** Counts what was really opened and closed, below any fault. */
export function countDescriptors(files: FileSystem): CountedDescriptors {
  let open = 0;
  return {
    files: {
      ...files,
      open: (path, flags, mode) => {
        const fd = files.open(path, flags, mode);
        open += 1;
        return fd;
      },
      close: (fd) => {
        open -= 1;
        files.close(fd);
      },
    },
    open: () => open,
  };
}
