import { readContextFile, readThreadFile, readWholeQuestion } from '../../agents/records.ts';
import { JournalFold } from '../../journal/fold.ts';
import { journalPlace, readJournalState } from '../../journal/read.ts';
import { readChain } from '../../chain/read-chain.ts';
import { listSegments, segmentPath } from '../../chain/segment-files.ts';
import { namesIn } from '../../host/files.ts';
import { quote } from '../../host/shell-word.ts';
import { listClaims, readExit } from '../../jobs/job-files.ts';
import { readSpec } from '../../jobs/job-spec.ts';
import { actorLayout, type ActorLayout } from '../../message/layout.ts';
import { readCard } from '../../room/card.ts';
import { listAddresses, type RoomContext } from '../../room/context.ts';
import { counterFiles, openCounter } from '../../room/open-counter.ts';
import { ALL_OF_OWNER, always, READABLE, restore, WRITABLE, type DurableFile, type Place } from './durable-file.ts';

/** What a room keeps for each actor besides its mailbox; directories come before their content. */
export const ACTOR_FILES: readonly DurableFile[] = [
  {
    name: 'actors/<address>/',
    kind: 'directory',
    mode: ALL_OF_OWNER,
    places: (context) => placesOf(context, ({ directory }) => [directory]),
    isReplaceable: always,
    hint: restore,
  },
  {
    name: 'actors/<address>/card.json',
    kind: 'file',
    mode: READABLE,
    places: (context) => placesOf(context, ({ card }) => [card]),
    isNeeded: (context, { address = '' }) =>
      readCard(context.host, context.layout, address) === undefined && hasJoined(context, address),
    fault: ({ host, layout }, { address = '' }) =>
      readCard(host, layout, address)
        ? undefined
        : `is not a card of ${address}, so nobody counts as joined under that address`,
    hint: joinAgain,
  },
  sign('seen'),
  sign('nudged'),
  sign('step'),
  {
    name: 'actors/<address>/rate.<n>',
    kind: 'file',
    mode: WRITABLE,
    places: (context) =>
      listAddresses(context).flatMap((address) => counterFiles(context, address).map((path) => ({ address, path }))),
    read: (context, { address = '' }) => {
      const counter = openCounter(context, address);
      try {
        counter.readThrough();
      } finally {
        counter.close();
      }
    },
    // Anything but a file has counted nothing.
    isReplaceable: ({ host }, { path }) => host.files.lstat(path)?.kind !== 'file',
    hint: restore,
  },
  inOwn('journal', ({ journal }) => journal),
  {
    name: 'actors/<address>/journal/<first seq>.jsonl',
    kind: 'file',
    mode: WRITABLE,
    places: journalFiles,
    read: readHistory,
    hint: restore,
  },
  inOwn('jobs', ({ jobs }) => jobs),
  {
    name: 'actors/<address>/jobs/<effect id>/',
    kind: 'directory',
    mode: ALL_OF_OWNER,
    places: (context) => placesIn(context, ({ jobs }) => jobs),
    read: readJob,
    hint: remove,
  },
  inOwn('agent', ({ agent }) => agent.directory),
  inOwn('agent/questions', ({ agent }) => agent.questions),
  {
    name: 'actors/<address>/agent/questions/<key>/',
    kind: 'directory',
    mode: ALL_OF_OWNER,
    places: (context) => placesIn(context, ({ agent }) => agent.questions),
    read: ({ host }, { path }) => readWholeQuestion(host, path),
    hint: remove,
  },
  inOwn('agent/threads', ({ agent }) => agent.threads),
  {
    name: 'actors/<address>/agent/threads/<key>.json',
    kind: 'file',
    mode: READABLE,
    places: (context) => placesIn(context, ({ agent }) => agent.threads, '.json'),
    read: ({ host }, { path }) => readThreadFile(host, path),
    hint: remove,
  },
  inOwn('agent/context', ({ agent }) => agent.context),
  {
    name: 'actors/<address>/agent/context/<number>.json',
    kind: 'file',
    mode: READABLE,
    places: (context) => placesIn(context, ({ agent }) => agent.context, '.json'),
    read: ({ host }, { path }) => readContextFile(host, path),
    hint: remove,
  },
];

/** Whether an actor has left traces. The directory alone proves nothing: an interrupted join may have made it. */
function hasJoined({ host, layout }: RoomContext, address: string): boolean {
  const { seen, journal, mailbox } = actorLayout(layout, address);
  return [seen, journal].some((path) => host.files.lstat(path)) || namesIn(host.files, mailbox.new).length > 0;
}

/** An empty file, of which only the time matters. */
function sign(name: 'seen' | 'nudged' | 'step'): DurableFile {
  return {
    name: `actors/<address>/${name}`,
    kind: 'file',
    places: (context) => placesOf(context, (own) => [own[name]]),
    isReplaceable: always,
    hint: restore,
  };
}

/** A directory of an actor that is created with its first content. */
function inOwn(name: string, pathIn: (own: ActorLayout) => string): DurableFile {
  return {
    name: `actors/<address>/${name}/`,
    kind: 'directory',
    mode: ALL_OF_OWNER,
    places: (context) => placesOf(context, (own) => [pathIn(own)]),
    hint: remove,
  };
}

function placesOf(context: RoomContext, pathsIn: (own: ActorLayout) => readonly string[]): Place[] {
  return listAddresses(context).flatMap((address) =>
    pathsIn(actorLayout(context.layout, address)).map((path) => ({ address, path })),
  );
}

/** The content of a directory of each actor. Names with a leading dot are skipped: they are just being removed. */
function placesIn(context: RoomContext, directoryIn: (own: ActorLayout) => string, end = ''): Place[] {
  return placesOf(context, (own) => {
    const directory = directoryIn(own);
    const names = namesIn(context.host.files, directory).filter((name) => !name.startsWith('.') && name.endsWith(end));
    return names.sort().map((name) => `${directory}/${name}`);
  });
}

function remove(_context: RoomContext, { path }: Place): string {
  return `Restore it from a backup; or delete it, and its work will run again: rm -r ${quote(path)}`;
}

function joinAgain(context: RoomContext, { address = '' }: Place): string {
  const file = machineFileOf(context, address);
  const join = `mailroom join ${address}`;
  if (file === undefined) return `Joining creates it again and changes no mail: ${join}`;
  return `Running the workflow creates it again: mailroom run ${quote(file)} --as ${address}`;
}

function machineFileOf(context: RoomContext, address: string): string | undefined {
  try {
    return readJournalState(context, address)?.open?.machine.file;
  } catch {
    // A fault of the journal is a finding of its own.
    return undefined;
  }
}

function journalFiles(context: RoomContext): Place[] {
  return listAddresses(context).flatMap((address) => {
    const place = journalPlace(context.layout, address);
    if (context.host.files.lstat(place.directory)?.kind !== 'directory') return [];
    return listSegments(context.host.files, place).firsts.map((first) => ({
      address,
      path: segmentPath(place, first),
    }));
  });
}

/** Reads the whole journal of an actor once, at its first file. */
function readHistory(context: RoomContext, { address = '', path }: Place): void {
  const place = journalPlace(context.layout, address);
  if (path !== journalFiles(context).find((one) => one.address === address)?.path) return;
  const fold = new JournalFold(place.directory);
  readChain(context.host.files, place, (record) => fold.apply(record));
}

/** Reads every record of a job. Throws JobFailed for the first one that is not valid. */
function readJob({ host }: RoomContext, { path }: Place): void {
  readSpec(host, path);
  for (const { attempt } of listClaims(host, path)) readExit(host, attempt);
}
