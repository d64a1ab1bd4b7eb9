import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InspectionOptions } from '../../src/inspector/actors.ts';
import { inspectEvents } from '../../src/inspector/events.ts';
import { isWireEvent, type WireActor, type WireEvent } from '../../src/inspector/wire.ts';
import { inspectRoom } from '../../src/cli/start-inspector.ts';
import { contextOf } from '../../src/room/room.ts';
import { machine, SECRET } from './ship-machine.ts';
import { createShippedRoom, MACHINE_FILE, type ShippedRoom } from './shipped-room.ts';

let shipped: ShippedRoom;
let child = '';
let known: InspectionOptions;
beforeAll(async () => {
  shipped = await createShippedRoom();
  await shipped.ship();
  for (const { entry } of shipped.entries('ship')) {
    if (!('commit' in entry)) continue;
    for (const call of Object.values(entry.commit.state.calls)) if (call.kind === 'machine') child = call.address;
  }
  const worker = machine.implementations.actors['worker'] as unknown as { config: unknown };
  known = { definitionOf: (address) => ({ ship: machine.config, [child]: worker.config })[address] };
});
afterAll(() => shipped[Symbol.asyncDispose]());

const derive = (options: InspectionOptions = known): WireEvent[] =>
  inspectEvents(shipped.entries('ship', child), options);

describe('the events of a journal', () => {
  it('are the same each time, each with its own id that names the record', () => {
    const events = derive();
    console.log(`${events.length} events of ${shipped.entries('ship', child).length} records`);
    expect(JSON.stringify(derive())).toBe(JSON.stringify(events));
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    expect(events.filter(({ id }) => !/^ship(\.builder-\d+)?#\d+\.\d+$/.test(id))).toEqual([]);
    expect(events.filter((event) => !isWireEvent(event) || !/^\d+$/.test(event.createdAt))).toEqual([]);
  });

  it('announce every actor before anything refers to it', () => {
    for (const options of [known, {}, { ...known, withContext: true }]) assertActorsFirst(derive(options));
    // Also for a child alone.
    assertActorsFirst(inspectEvents(shipped.entries(child), known));
  });

  it('show the parent of each child, under the topmost workflow', () => {
    const actors = actorsOf(derive());
    expect(actors.get(child)).toMatchObject({ parentId: 'ship', rootId: 'ship', name: child });
    expect(actors.get('ship/counter')).toMatchObject({ parentId: 'ship', rootId: 'ship', name: 'counter' });
    expect(actors.get('ship')).not.toHaveProperty('parentId');
    expect([...actors.keys()].sort()).toEqual(['bob', 'ship', 'ship/counter', 'ship/printer', child].sort());
  });

  it('show each event with its verified sender, and the state after it', () => {
    const events = derive();
    const taken = events.flatMap((one) =>
      one.type === '@xstate.event' && one.sessionId === 'ship' ? [[one.event.type, one.sourceId]] : [],
    );
    expect(taken).toEqual([
      ['xstate.init', undefined],
      ['GO', 'bob'],
      ['xstate.done.actor.counter', 'ship/counter'],
      ['xstate.done.actor.printer', 'ship/printer'],
      ['xstate.done.actor.asked', 'bob'],
      ['PROGRESS', child],
      ['xstate.done.actor.builder', child],
    ]);
    const values = events.flatMap((one) =>
      one.type === '@xstate.snapshot' && one.sessionId === 'ship' ? [one.snapshot.value] : [],
    );
    expect(values).toEqual([
      'idle',
      { context: 'counting' },
      { context: 'printing' },
      'asking',
      'building',
      'building',
      'done',
    ]);
    const building = events.find((one) => one.type === '@xstate.snapshot' && one.snapshot.value === 'building');
    expect(building).toMatchObject({ snapshot: { children: { builder: { xstate$$type: 1, id: child } } } });
    expect(lastStatus(events, 'ship')).toBe('done');
    expect(lastStatus(events, 'ship/counter')).toBe('done');
    expect(lastStatus(events, child)).toBe('done');
  });

  it('contain no byte of context, input or output unless asked for', () => {
    const journal = JSON.stringify(shipped.entries('ship', child));
    const shown = JSON.stringify(derive());
    const all = JSON.stringify(derive({ ...known, withContext: true }));
    const count = (text: string): number => text.split(SECRET).length - 1;
    console.log(
      `the secret: ${count(journal)} times in the journals, ${count(shown)} shown, ${count(all)} with context`,
    );
    expect(count(journal)).toBeGreaterThan(10);
    expect(count(shown)).toBe(0);
    expect(count(JSON.stringify(derive({})))).toBe(0);
    expect(count(all)).toBeGreaterThan(10);
    // Messages are shown.
    expect(shown).toContain('"content":"go on"');
    expect(shown).toContain('"content":"fine"');
  });

  it('survive JSON lines unchanged', () => {
    const events = derive();
    const lines = events.map((event) => JSON.stringify(event));
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(events);
  });

  it('are the same when they are read from the room, with the machine from its file', async () => {
    const warnings: string[] = [];
    const read: WireEvent[] = [];
    const warn = (text: string): void => void warnings.push(text);
    const files = { named: [MACHINE_FILE], words: [] };
    const options = { addresses: ['ship'], cwd: shipped.directory, files, warn };
    for await (const event of inspectRoom(contextOf(shipped.room), options)) read.push(event);
    expect(warnings).toEqual([]);
    expect(read.map(({ id }) => id).sort()).toEqual(
      derive()
        .map(({ id }) => id)
        .sort(),
    );
    expect(read.filter((one) => one.sessionId === 'ship')).toEqual(derive().filter((one) => one.sessionId === 'ship'));
    assertActorsFirst(read);
  });

  it('are complete if the file of the machine is unknown, which is said once', async () => {
    await shipped.ship({ address: 'unknown', isFileKnown: false });
    const warnings: string[] = [];
    const read: WireEvent[] = [];
    const options = {
      addresses: ['unknown'],
      cwd: shipped.directory,
      files: { named: [], words: ['inspect'] },
      warn: (text: string) => void warnings.push(text),
    };
    for await (const event of inspectRoom(contextOf(shipped.room), options)) read.push(event);
    expect(warnings).toEqual([expect.stringContaining('unknown is drawn from its journal alone')]);
    expect(read.filter(({ type }) => type !== '@xstate.actor').length).toBe(
      derive().filter(({ type }) => type !== '@xstate.actor').length,
    );
    assertActorsFirst(read);
  });

  it('continue past a damaged journal, which is said once', async () => {
    const journal = path.join(shipped.directory, '.mailroom/actors/unknown/journal/1.jsonl');
    const text = fs.readFileSync(journal, 'utf8');
    fs.writeFileSync(journal, text.replace('"cause":{"kind":"message"', '"cause":{"kind":"forgery"'));
    const warnings: string[] = [];
    const sessions = new Set<string>();
    const warn = (told: string): void => void warnings.push(told);
    for await (const { sessionId } of inspectRoom(contextOf(shipped.room), {
      cwd: shipped.directory,
      warn,
    })) {
      sessions.add(sessionId);
    }
    expect(warnings.filter((told) => told.includes('unknown'))).toEqual([
      expect.stringContaining('The journal of unknown is not shown any further: the chain file'),
    ]);
    expect(sessions).toContain('ship');
    fs.rmSync(path.dirname(path.dirname(journal)), { recursive: true });
  });
});

describe('a definition', () => {
  it('is the configuration with functions by name, even with a state called context', () => {
    const definition = JSON.parse(actorsOf(derive()).get('ship')?.definition ?? '') as Record<string, never>;
    expect(definition).not.toHaveProperty('context');
    expect(definition).not.toHaveProperty('schemas');
    expect(definition).toMatchObject({
      id: 'ship',
      initial: 'idle',
      output: { type: 'output' },
      states: {
        idle: { on: { GO: 'context' } },
        context: { states: { counting: { invoke: { src: 'count', onDone: { actions: { type: 'assign' } } } } } },
        done: { type: 'final' },
      },
    });
    const withContext = actorsOf(derive({ ...known, withContext: true })).get('ship')?.definition;
    expect(JSON.parse(withContext ?? '')).toMatchObject({ context: { token: SECRET } });
  });

  it('comes from the journal if the machine is unknown: the states seen and their transitions', () => {
    const events = derive({});
    const definition: unknown = JSON.parse(actorsOf(events).get('ship')?.definition ?? '');
    expect(definition).toEqual({
      id: 'ship',
      initial: 'idle',
      states: {
        idle: { on: { GO: [{ target: 'context' }] } },
        context: {
          initial: 'counting',
          states: {
            counting: { on: { 'xstate.done.actor.counter': [{ target: 'printing' }] } },
            printing: {},
          },
          on: { 'xstate.done.actor.printer': [{ target: 'asking' }] },
        },
        asking: { on: { 'xstate.done.actor.asked': [{ target: 'building' }] } },
        building: { on: { 'xstate.done.actor.builder': [{ target: 'done' }] } },
        done: { type: 'final' },
      },
    });
    // No event is missing for it.
    expect(derive({}).filter(({ type }) => type !== '@xstate.actor').length).toBe(
      derive().filter(({ type }) => type !== '@xstate.actor').length,
    );
  });

  it('includes states that the current code no longer has', () => {
    const definitionOf = (): unknown => ({ id: 'ship', initial: 'new', states: { new: {} } });
    const last = actorsOf(derive({ definitionOf })).get('ship')?.definition ?? '';
    expect(Object.keys((JSON.parse(last) as { states: object }).states)).toEqual([
      'new',
      'idle',
      'context',
      'asking',
      'building',
      'done',
    ]);
  });
});

/** The last event of each actor. */
function actorsOf(events: readonly WireEvent[]): Map<string, WireActor> {
  return new Map(events.flatMap((one) => (one.type === '@xstate.actor' ? [[one.sessionId, one] as const] : [])));
}

function lastStatus(events: readonly WireEvent[], sessionId: string): string | undefined {
  const snapshots = events.flatMap((one) =>
    one.type === '@xstate.snapshot' && one.sessionId === sessionId ? [one.snapshot.status] : [],
  );
  return snapshots.at(-1);
}

function assertActorsFirst(events: readonly WireEvent[]): void {
  const told = new Set<string>();
  const untold: string[] = [];
  for (const event of events) {
    const refers: (string | undefined)[] = [event.rootId === event.sessionId ? undefined : event.rootId];
    if (event.type === '@xstate.actor') refers.push(event.parentId);
    else refers.push(event.sessionId);
    if (event.type === '@xstate.event') refers.push(event.sourceId);
    if (event.type !== '@xstate.event') {
      refers.push(...Object.values(event.snapshot.children ?? {}).map(({ id }) => id));
    }
    untold.push(...refers.filter((one) => one !== undefined && !told.has(one)).map((one) => `${event.id}: ${one}`));
    if (event.type === '@xstate.actor') told.add(event.sessionId);
  }
  expect(untold).toEqual([]);
  expect(told.size).toBeGreaterThan(1);
}
