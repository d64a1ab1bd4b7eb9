import { namesIn } from '../../host/files.ts';
import { sessionLayout, type SessionLayout } from '../../message/layout.ts';
import type { RoomContext } from '../../room/context.ts';
import { readSignedRecord } from '../../room/signed-record.ts';
import { ALL_OF_OWNER, always, READABLE, restore, type DurableFile } from './durable-file.ts';

/** What hooks keep about their sessions; directories come before their content. The next session creates all of it again. */
export const SESSION_FILES: readonly DurableFile[] = [
  directory('sessions/', ({ layout }) => [layout.sessions]),
  directory('sessions/<session>/', (context) => sessionsOf(context, ({ directory: own }) => [own])),
  record('sessions/<session>/session.json', 'session', ({ record: own }) => [own]),
  directory('sessions/<session>/shown/', (context) => sessionsOf(context, ({ shown }) => [shown])),
  record('sessions/<session>/shown/<name>', 'shown', ({ shown }, { host }) =>
    namesIn(host.files, shown).map((name) => `${shown}/${name}`),
  ),
  mark('sessions/<session>/subagent', ({ subagent }) => subagent),
  mark('sessions/<session>/prompted', ({ prompted }) => prompted),
  record('sessions/<session>/waiter.json', 'waiter', ({ waiter }) => [waiter]),
];

function sessionsOf(context: RoomContext, pathsOf: (session: SessionLayout) => readonly string[]): string[] {
  const keys = namesIn(context.host.files, context.layout.sessions);
  return keys.flatMap((key) => pathsOf(sessionLayout(context.layout, key)));
}

function directory(name: string, pathsOf: (context: RoomContext) => readonly string[]): DurableFile {
  return {
    name,
    kind: 'directory',
    mode: ALL_OF_OWNER,
    places: (context) => pathsOf(context).map((path) => ({ path })),
    isReplaceable: always,
    hint: restore,
  };
}

/** A file that says something by existing. */
function mark(name: string, pathOf: (session: SessionLayout) => string): DurableFile {
  return {
    name,
    kind: 'file',
    places: (context) => sessionsOf(context, (session) => [pathOf(session)]).map((path) => ({ path })),
    isReplaceable: always,
    hint: restore,
  };
}

function record(
  name: string,
  kind: string,
  pathsOf: (session: SessionLayout, context: RoomContext) => readonly string[],
): DurableFile {
  return {
    name,
    kind: 'file',
    mode: READABLE,
    places: (context) => sessionsOf(context, (session) => pathsOf(session, context)).map((path) => ({ path })),
    fault: (context, { path }) => {
      const found = readSignedRecord(context, { path, record: kind, signer: ({ address }) => address });
      return found ? undefined : 'is not a record signed by its address, so hooks ignore it';
    },
    isReplaceable: always,
    hint: restore,
  };
}
