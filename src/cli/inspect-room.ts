import { JournalFollower } from '../durable/follow-journals.ts';
import { Inspection } from '../durable/inspect-events.ts';
import type { WireEvent } from '../durable/inspect-wire.ts';
import { errorFacts } from '../machine/plain-facts.ts';
import type { RoomContext } from '../room/context.ts';
import { asTold } from '../room/told.ts';
import { watchTree } from '../room/watch-tree.ts';
import { InspectedMachines, type MachineFiles } from './inspected-machines.ts';

/** Records after which other work of the process has its turn. */
const RECORDS_PER_TURN = 256;

export interface InspectRoomOptions {
  /** These and all that they start; every workflow when not given. */
  readonly addresses?: readonly string[] | undefined;
  readonly withContext?: boolean | undefined;
  /** Where relative names of machine files are looked up. */
  readonly cwd: string;
  /** Without, nothing is imported, and workflows are drawn from their journals alone. */
  readonly files?: MachineFiles | undefined;
  readonly warn: (text: string) => void;
  /** Goes on with what happens until it aborts, and then once more; only the past when not given. */
  readonly until?: AbortSignal | undefined;
}

/** The events of a room's workflows for the Stately inspector: the past, then what happens. */
export async function* inspectRoom(
  context: RoomContext,
  options: InspectRoomOptions,
): AsyncGenerator<WireEvent, void, void> {
  const { addresses, withContext = false, cwd, files, warn, until } = options;
  const machines = new InspectedMachines(context, { cwd, files, warn });
  const inspection = new Inspection({
    withContext,
    definitionOf: (address) => machines.configOf(address),
    parentOf: (address) => machines.parentOf(address),
  });
  const follower = new JournalFollower(context, {
    addresses,
    onFault: (address, error) =>
      warn(`The journal of ${address} is not shown any further: ${errorFacts(error).message}`),
  });
  const { pollMs } = context.config.limits;
  const changes =
    until &&
    (await watchTree(context.host, { path: context.layout.actors, inEach: ['journal'], pollMs, signal: until, warn }));
  try {
    for (let count = 0; ;) {
      const isLast = !until || until.aborted;
      context.standing.assertSame();
      for (const one of follower.read()) {
        await machines.learn(one);
        yield* inspection.take(one);
        if (++count % RECORDS_PER_TURN === 0) await context.host.clock.sleep(0);
      }
      if (isLast) return;
      await changes?.next();
    }
  } catch (error) {
    throw asTold(context, 'The workflows are not shown any further', error);
  } finally {
    follower.close();
    await changes?.close();
  }
}
