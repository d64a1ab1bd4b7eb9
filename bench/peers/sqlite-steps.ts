import { randomUUID, timingSafeEqual } from 'node:crypto';
import path from 'node:path';
import { transition } from 'xstate';
import { hmacSha256 } from '../../src/signing/keys.ts';
import { CONTENT_600_B } from '../bench-room.ts';
import { COUNTER, EVENT, type Counter } from '../counter.ts';
import type { Open } from './sqlite.ts';

/** A workflow whose mail and state lie in one database: each step is one transaction. */
export interface SqliteSteps {
  /** Takes the oldest message that waits. Throws when there is none. */
  readonly step: () => void;
  readonly close: () => void;
}

export interface SqliteStepsOptions {
  readonly machine: Counter;
  readonly directory: string;
  readonly waiting: number;
  readonly synchronous: 'NORMAL' | 'FULL';
  /**
   * What a step does: `bare` trusts whoever writes to the database; `signed` verifies the message and signs the answer, with
   * the function that Mailroom does it with; `kept` also writes down what Mailroom does: the step itself, that the sender
   * was allowed one more message, and two lines for people.
   */
  readonly does: 'bare' | 'signed' | 'kept';
}

const KEY = Buffer.alloc(32, 'k');
const TAG = Buffer.from('mail');

export function makeSqliteSteps(
  Open: Open,
  { machine, directory, waiting, synchronous, does }: SqliteStepsOptions,
): SqliteSteps {
  const database = new Open(path.join(directory, 'workflows.db'));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = OFF');
  database.exec(`
    CREATE TABLE mail (id TEXT PRIMARY KEY, recipient TEXT NOT NULL, state TEXT NOT NULL, body TEXT NOT NULL, mac BLOB);
    CREATE INDEX waiting ON mail (recipient, state, id);
    CREATE TABLE workflow (address TEXT PRIMARY KEY, snapshot TEXT NOT NULL);
    CREATE TABLE steps (seq INTEGER PRIMARY KEY, address TEXT NOT NULL, step TEXT NOT NULL);
    CREATE TABLE grants (seq INTEGER PRIMARY KEY, sender TEXT NOT NULL, at INTEGER NOT NULL);
    CREATE TABLE log (seq INTEGER PRIMARY KEY, line TEXT NOT NULL);
  `);
  const insert = database.prepare("INSERT INTO mail VALUES (?, ?, 'new', ?, ?)");
  const next = database.prepare(
    "SELECT id, body, mac FROM mail WHERE recipient = ? AND state = 'new' ORDER BY id LIMIT 1",
  );
  const update = database.prepare('UPDATE workflow SET snapshot = ? WHERE address = ?');
  const acknowledge = database.prepare("UPDATE mail SET state = 'done' WHERE id = ?");
  const keepStep = database.prepare('INSERT INTO steps (address, step) VALUES (?, ?)');
  const grant = database.prepare('INSERT INTO grants (sender, at) VALUES (?, ?)');
  const log = database.prepare('INSERT INTO log (line) VALUES (?)');
  const signatureOf = hmacSha256(KEY, TAG);
  const sign = (body: string): Buffer | null => (does === 'bare' ? null : signatureOf(Buffer.from(body)));
  const verify = ({ body, mac }: Row): void => {
    const expected = sign(body);
    if (expected && !(mac && timingSafeEqual(expected, mac))) throw new Error('the signature is false');
  };
  let snapshot = machine.resolveState({ value: 'even', context: { handled: 0, points: 0, last: '' } });
  database.prepare('INSERT INTO workflow VALUES (?, ?)').run(COUNTER, '{}');
  const fill = database.transaction(() => {
    const body = JSON.stringify(EVENT);
    for (let made = 0; made < waiting; made++) insert.run(nameOf(made), COUNTER, body, sign(body));
  });
  fill();
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.pragma(`synchronous = ${synchronous}`);
  const step = database.transaction(() => {
    const row = next.get(COUNTER) as Row | undefined;
    if (!row) throw new Error('no message waits');
    verify(row);
    const event = { ...(JSON.parse(row.body) as typeof EVENT), messageId: row.id };
    [snapshot] = transition(machine, snapshot, event);
    const state = JSON.stringify(machine.getPersistedSnapshot(snapshot));
    update.run(state, COUNTER);
    const id = randomUUID();
    const answer = JSON.stringify({ type: 'INFO', from: COUNTER, content: CONTENT_600_B, replyTo: row.id });
    insert.run(id, event.from, answer, sign(answer));
    acknowledge.run(row.id);
    if (does !== 'kept') return;
    const at = Date.now();
    keepStep.run(COUNTER, JSON.stringify({ at, event, answer: id }));
    grant.run(COUNTER, at);
    const time = new Date(at).toISOString();
    log.run(JSON.stringify({ time, event: 'committed', id: row.id, from: event.from, to: COUNTER }));
    log.run(JSON.stringify({ time, event: 'sent', id, from: COUNTER, content: CONTENT_600_B.slice(0, 200) }));
  });
  return { step, close: () => database.close() };
}

interface Row {
  readonly id: string;
  readonly body: string;
  readonly mac: Buffer | null;
}

/** In the order of their making, as ids of messages are. */
function nameOf(index: number): string {
  return `0190a000-0000-7000-8000-${String(index).padStart(12, '0')}`;
}
