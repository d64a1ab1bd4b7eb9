import { resolve } from 'node:path';
import { InvalidInput } from '../errors.ts';
import { noWorkflow } from '../journal/list.ts';
import { errnoOf } from '../host/file-system.ts';
import { createFile, readBounded } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { makeTemporaryDirectory } from '../host/temporary-directory.ts';
import { isWireEvent, type WireEvent } from '../inspector/wire.ts';
import { readJournalState } from '../journal/read.ts';
import { echo } from '../message/cut.ts';
import { visible } from '../message/visible.ts';
import { contextOf, type Room } from '../room/room.ts';
import { textOption } from './arguments.ts';
import type { Call } from './command.ts';
import { EXIT_OK } from './exit-code.ts';
import type { MachineFiles } from './inspected-machines.ts';
import { onInterruption } from './interruption.ts';
import { listOption } from './option-values.ts';
import {
  type Inspector,
  type InspectorPlace,
  inspectRoom,
  type InspectRoomOptions,
  startInspector,
  startReplay,
} from './start-inspector.ts';
import { withRoom } from './with-room.ts';

const PORT_MAX = 65_535;
const PATIENCE_MS = 3_600_000;

/** Runs `mailroom inspect`. Resolves with the exit code. */
export async function runInspect(call: Call): Promise<number> {
  assertTogether(call);
  const file = textOption(call.args, 'replay');
  return file === undefined ? withRoom(call, (room) => inspectIn(call, room)) : replay(call, file);
}

async function inspectIn(call: Call, room: Room): Promise<number> {
  const { operands, options } = call.args;
  for (const address of operands) {
    if (!readJournalState(contextOf(room), address)) throw noWorkflow(contextOf(room), address);
  }
  const chosen = {
    addresses: operands.length === 0 ? undefined : operands,
    withContext: options.has('with-context'),
    files: filesOf(call),
  };
  if (options.has('jsonl')) return print(call, room, chosen);
  return untilInterrupted(call, () => startInspector(contextOf(room), { ...placeOf(call), ...chosen }));
}

/** The machines to import. Printed events need no picture, so with --jsonl only those that the user names. */
function filesOf({ args, words, nudgeProgram: program }: Call): MachineFiles | undefined {
  const named = listOption(textOption(args, 'machine'));
  if (args.options.has('jsonl')) return named && { named, words };
  return { named: named ?? [], words, program };
}

async function print(
  call: Call,
  room: Room,
  chosen: Pick<InspectRoomOptions, 'addresses' | 'withContext' | 'files'>,
): Promise<number> {
  const { output, cwd, args } = call;
  using interruption = args.options.has('follow') ? onInterruption() : undefined;
  const until = interruption?.signal;
  const warn = (text: string): void => void output.advise(`${visible(text)}\n`);
  for await (const event of inspectRoom(contextOf(room), { ...chosen, cwd, warn, until })) {
    if (until?.aborted) break;
    await output.json(event);
  }
  return interruption?.exitCode ?? EXIT_OK;
}

function replay(call: Call, file: string): Promise<number> {
  const events = readInspection(call.host, resolve(call.cwd, file));
  return untilInterrupted(call, () => startReplay(call.host, { ...placeOf(call), events }));
}

async function untilInterrupted(call: Call, start: () => Promise<Inspector>): Promise<number> {
  const { output, isJson, host, args } = call;
  using interruption = onInterruption();
  const { signal } = interruption;
  const inspector = await start();
  try {
    if (isJson) await output.json({ url: inspector.url });
    else await output.data(`${inspector.url}\n`);
    using opened = args.options.has('open') ? openInBrowser(host, inspector.url) : undefined;
    const what = opened ? 'If no browser opens that page, open it yourself' : 'Open that page in a browser';
    await output.talk(`${what}; it is live until Ctrl-C.\n`);
    await Promise.race([patience(host, signal), failed(inspector)]);
  } finally {
    await inspector.close();
  }
  return interruption.exitCode ?? EXIT_OK;
}

/**
 * Opens a page in the user's browser through a redirecting file that only the user can read: every user of the machine can
 * read command lines, so the token must not be on one. Disposing removes the file.
 */
function openInBrowser({ files, processes }: Call['host'], url: string): Disposable {
  const directory = makeTemporaryDirectory('mailroom-inspect-');
  const file = `${directory.path}/open.html`;
  const page = `<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url=${url}">
<a href="${url}">Mailroom: inspect</a>
`;
  createFile(files, file, Buffer.from(page), 0o600);
  processes.startDetached(process.platform === 'darwin' ? 'open' : 'xdg-open', [file]);
  return { [Symbol.dispose]: directory.remove };
}

/** Keeps the process alive until the signal aborts; the relay alone does not. */
async function patience({ clock }: Call['host'], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await clock.sleep(PATIENCE_MS, signal);
}

/** Never resolves, because the page stays open after the last event. Rejects as `ended` does. */
function failed({ ended }: Inspector): Promise<never> {
  return new Promise((_, reject) => {
    ended.catch(reject);
  });
}

function placeOf({ args, cwd, nudgeProgram, output }: Call): InspectorPlace {
  return {
    cwd,
    program: nudgeProgram,
    port: portOf(textOption(args, 'port')),
    viewerUrl: viewerOf(textOption(args, 'viewer')),
    warn: (text) => void output.advise(`${visible(text)}\n`),
  };
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= PORT_MAX) return port;
  throw new InvalidInput(`--port is ${echo(text)}: expected a whole number from 1 to ${PORT_MAX}.`);
}

function viewerOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return new URL(text).href;
  throw new InvalidInput(`--viewer is ${echo(text, 200)}: expected the URL of a page, http or https.`);
}

/** Throws InvalidInput for options that have no meaning together. */
function assertTogether({ args: { options, operands } }: Call): void {
  const of = (name: string): boolean => options.has(name);
  const fault =
    of('replay') && (of('jsonl') || of('follow') || of('with-context') || of('machine') || operands.length > 0)
      ? '--replay shows what is in the file; it takes no address, --jsonl, --follow, --with-context or --machine.'
      : of('jsonl') && (of('port') || of('viewer') || of('open'))
        ? '--jsonl serves no page; it takes no --port, --viewer or --open.'
        : of('follow') && !of('jsonl')
          ? '--follow requires --jsonl; the page is live anyway.'
          : undefined;
  if (fault !== undefined) throw new InvalidInput(fault, { hint: 'See: mailroom help inspect' });
}

const FILE_BYTES_MAX = 256 * 1024 * 1024;

/** The events that `mailroom inspect --jsonl` wrote to a file. Throws InvalidInput, naming the first line that is not an event. */
export function readInspection({ files }: Pick<Host, 'files'>, path: string): WireEvent[] {
  const lines = readLines(files, path);
  return lines.flatMap((line, index) => {
    if (line === '') return [];
    const event = parsed(line);
    if (isWireEvent(event)) return [event];
    throw new InvalidInput(`Line ${index + 1} of ${path} is not an event of the inspector.`, {
      hint: 'Give a file that was written by: mailroom inspect --jsonl',
    });
  });
}

function readLines(files: Host['files'], path: string): string[] {
  try {
    const read = readBounded(files, path, FILE_BYTES_MAX);
    if ('bytes' in read) return read.bytes.toString('utf8').split('\n');
    throw new InvalidInput(`${path} cannot be replayed: ${read.unreadable}.`);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new InvalidInput(`There is no file ${path}.`, {
      hint: 'Write one: mailroom inspect --jsonl > inspect.jsonl',
    });
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
