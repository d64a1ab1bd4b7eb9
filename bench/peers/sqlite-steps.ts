import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { transition } from 'xstate';
import { CONTENT_600_B } from '../bench-room.ts';
import { COUNTER, EVENT, type Counter } from '../counter.ts';
import type { Open } from './sqlite.ts';

/** A workflow whose mail and state lie in one database: each step is one transaction. */
export interface SqliteSteps {
  /** Takes the oldest message that waits. Throws when there is none. */
  readonly step: () => void;
  readonly close: () => void;
}

export function makeSqliteSteps(
  Open: Open,
  {
    machine,
    directory,
    waiting,
    synchronous,
  }: { machine: Counter; directory: string; waiting: number; synchronous: 'NORMAL' | 'FULL' },
): SqliteSteps {
  const database = new Open(path.join(directory, 'workflows.db'));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = OFF');
  database.exec(`
    CREATE TABLE mail (id TEXT PRIMARY KEY, recipient TEXT NOT NULL, state TEXT NOT NULL, body TEXT NOT NULL);
    CREATE INDEX waiting ON mail (recipient, state, id);
    CREATE TABLE workflow (address TEXT PRIMARY KEY, snapshot TEXT NOT NULL);
  `);
  const insert = database.prepare("INSERT INTO mail VALUES (?, ?, 'new', ?)");
  const next = database.prepare("SELECT id, body FROM mail WHERE recipient = ? AND state = 'new' ORDER BY id LIMIT 1");
  const update = database.prepare('UPDATE workflow SET snapshot = ? WHERE address = ?');
  const acknowledge = database.prepare("UPDATE mail SET state = 'done' WHERE id = ?");
  let snapshot = machine.resolveState({ value: 'even', context: { handled: 0, points: 0, last: '' } });
  database.prepare('INSERT INTO workflow VALUES (?, ?)').run(COUNTER, '{}');
  const fill = database.transaction(() => {
    for (let made = 0; made < waiting; made++) insert.run(nameOf(made), COUNTER, JSON.stringify(EVENT));
  });
  fill();
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.pragma(`synchronous = ${synchronous}`);
  const step = database.transaction(() => {
    const row = next.get(COUNTER) as { id: string; body: string } | undefined;
    if (!row) throw new Error('no message waits');
    const event = { ...(JSON.parse(row.body) as typeof EVENT), messageId: row.id };
    [snapshot] = transition(machine, snapshot, event);
    update.run(JSON.stringify(machine.getPersistedSnapshot(snapshot)), COUNTER);
    const answer = { type: 'INFO', from: COUNTER, content: CONTENT_600_B, replyTo: row.id };
    insert.run(randomUUID(), event.from, JSON.stringify(answer));
    acknowledge.run(row.id);
  });
  return { step, close: () => database.close() };
}

/** In the order of their making, as ids of messages are. */
function nameOf(index: number): string {
  return `0190a000-0000-7000-8000-${String(index).padStart(12, '0')}`;
}
