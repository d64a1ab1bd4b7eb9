import path from 'node:path';
import { MESSAGE_BYTES } from '../bench-room.ts';

/** The part of better-sqlite3 (12) that is used here. */
export interface Database {
  pragma(text: string): unknown;
  exec(sql: string): unknown;
  prepare(sql: string): { run(...values: unknown[]): unknown; get(...values: unknown[]): unknown };
  transaction(work: () => void): () => void;
  close(): void;
}

export type Open = new (file: string) => Database;

/** Installed beside the benchmarks only, so neither the compiler nor the package knows it. */
const PEER: string = 'better-sqlite3';

export const SQLITE_MISSING = 'better-sqlite3 is not installed; install it with: npm --prefix bench ci';

/** Undefined when it is not installed. */
export async function loadSqlite(): Promise<Open | undefined> {
  try {
    const loaded = (await import(PEER)) as { default: Open };
    return loaded.default;
  } catch {
    return undefined;
  }
}

export interface SqliteMailbox {
  send(name: string): void;
  close(): void;
}

/**
 * One table, the id its key, an index to find what waits for whom; each insert is its own transaction, in the write-ahead
 * log without a sync.
 */
export function makeSqliteMailbox(Open: Open, directory: string): SqliteMailbox {
  const database = new Open(path.join(directory, 'mail.db'));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = NORMAL');
  database.exec(`
    CREATE TABLE mail (id TEXT PRIMARY KEY, recipient TEXT NOT NULL, state TEXT NOT NULL, body BLOB NOT NULL);
    CREATE INDEX waiting ON mail (recipient, state);
  `);
  const insert = database.prepare("INSERT INTO mail VALUES (?, ?, 'new', ?)");
  const body = Buffer.alloc(MESSAGE_BYTES, 'm');
  return { send: (name) => void insert.run(name, 'bob', body), close: () => database.close() };
}
