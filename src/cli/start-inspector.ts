import { join } from 'node:path';
import { Conflict, InvalidInput } from '../errors.ts';
import { JournalFollower } from '../history/follow.ts';
import { errnoOf } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import type { StartLoopbackServer } from '../host/loopback-server.ts';
import { nodeLoopbackServer } from '../host/node-loopback-server.ts';
import { resolveModule } from '../host/resolve-module.ts';
import { Inspection } from '../inspector/events.ts';
import { VIEWER_URL } from '../inspector/page.ts';
import { InspectRelay } from '../inspector/relay.ts';
import type { WireEvent } from '../inspector/wire.ts';
import type { RoomContext } from '../room/context.ts';
import { toRoomError } from '../room/system-errors.ts';
import { watchTree } from '../room/watch-room.ts';
import { errorFacts } from '../errors.ts';
import { InspectedMachines, type MachineFiles } from './inspected-machines.ts';

const TOKEN_BYTES = 32;
const PEER = '@statelyai/inspect';

export interface InspectorPlace {
  /** The directory that machine files are relative to, and where `@statelyai/inspect` is looked for if it is not beside the program. */
  readonly cwd: string;
  /** A file of this program. The package is looked for beside it first, because loading it runs it. */
  readonly program: string;
  /** Default: the system chooses. */
  readonly port?: number | undefined;
  /** The page that shows the events. Default: the official one. */
  readonly viewerUrl?: string | undefined;
  readonly warn: (text: string) => void;
}

export interface InspectorOptions extends InspectorPlace {
  /** Shows these workflows and all that they start, even those that do not exist yet. Default: every workflow. */
  readonly addresses?: readonly string[] | undefined;
  readonly withContext?: boolean | undefined;
  readonly files?: MachineFiles | undefined;
}

type RelayHost = Pick<Host, 'clock' | 'randomBytes'>;

export interface Inspector {
  /** The URL of the page to open. It holds the token, so it must not be on a command line. */
  readonly url: string;
  /** Rejects with the error that ended the inspector. */
  readonly ended: Promise<void>;
  /** Shows what has happened until now, then ends. After that, nothing of it keeps the process alive. Never rejects. */
  close(): Promise<void>;
}

/**
 * Shows workflows of a room live in the Stately inspector, on 127.0.0.1 only. Throws InvalidInput if `@statelyai/inspect` is
 * not installed, Conflict if the port is taken.
 */
export async function startInspector(context: RoomContext, options: InspectorOptions): Promise<Inspector> {
  const { addresses, withContext, cwd, files, warn } = options;
  const relay = await startRelay(context.host, options);
  const over = new AbortController();
  const events = inspectRoom(context, { addresses, withContext, cwd, files, warn, until: over.signal });
  return shown(relay, events, { over, warn });
}

/** The same for recorded events. */
export async function startReplay(
  host: RelayHost,
  options: InspectorPlace & { events: readonly WireEvent[] },
): Promise<Inspector> {
  const relay = await startRelay(host, options);
  return shown(relay, options.events, { over: new AbortController(), warn: options.warn });
}

function shown(
  relay: InspectRelay,
  events: AsyncIterable<WireEvent> | readonly WireEvent[],
  { over, warn }: { over: AbortController; warn: (text: string) => void },
): Inspector {
  const { url } = relay;
  const ended = (async () => {
    let isTold = false;
    for await (const event of events) {
      relay.add(event);
      if (!relay.hasForgotten || isTold) continue;
      isTold = true;
      warn('Viewers that open now do not see the oldest events. To get all of them: mailroom inspect --jsonl');
    }
  })();
  // Also warns a user who does not look at the page.
  ended.catch((error: unknown) => warn(`The inspector shows nothing new: ${errorFacts(error).message}`));
  return {
    url,
    ended,
    close: async () => {
      over.abort();
      await ended.catch(() => {});
      await relay.close();
    },
  };
}

async function startRelay(
  { clock, randomBytes }: RelayHost,
  { cwd, program, port = 0, viewerUrl = VIEWER_URL }: InspectorPlace,
): Promise<InspectRelay> {
  const start = loopbackServer([program, join(cwd, 'package.json')]);
  try {
    return await InspectRelay.start({ start, clock, port, viewerUrl, token: randomBytes(TOKEN_BYTES).toString('hex') });
  } catch (error) {
    if (errnoOf(error) !== 'EADDRINUSE') throw error;
    throw new Conflict(`Port ${port} of 127.0.0.1 is taken.`, {
      cause: error,
      hint: 'Give another port with --port, or omit it and the system chooses one.',
    });
  }
}

/** The package is loaded only here, because other commands must work without it. */
function loopbackServer(places: readonly string[]): StartLoopbackServer {
  for (const place of places) {
    const found = resolveModule(`${PEER}/server`, place);
    if (found !== undefined) return nodeLoopbackServer(found);
  }
  throw new InvalidInput(`The inspector needs the package ${PEER}, which is not installed here.`, {
    hint: `npm install ${PEER}`,
  });
}

/** After this many records the event loop gets a turn. */
const RECORDS_PER_TURN = 256;

export interface InspectRoomOptions {
  /** These workflows and all that they start. Default: every workflow. */
  readonly addresses?: readonly string[] | undefined;
  readonly withContext?: boolean | undefined;
  /** The directory that machine files are relative to. */
  readonly cwd: string;
  /** Default: nothing is imported, and workflows are drawn from their journals alone. */
  readonly files?: MachineFiles | undefined;
  readonly warn: (text: string) => void;
  /** Follows new events until this aborts, then reads once more. Default: only past events. */
  readonly until?: AbortSignal | undefined;
}

/** The events of a room's workflows for the Stately inspector: past events, then new ones. */
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
    throw toRoomError(context, 'The workflows are not shown any further', error);
  } finally {
    follower.close();
    await changes?.close();
  }
}
