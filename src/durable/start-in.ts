import { START } from '../machine/control.ts';
import type { Expected } from '../machine/receive.ts';
import type { OutboxEntry } from './journal-record.ts';
import { openEntry } from './sealed-entry.ts';

/** What a START says of the child that it is for, where its parent's state no longer does; undefined for other mail. */
export function startIn(entry: OutboxEntry, parent: string): Expected | undefined {
  if (!entry.isControl || entry.type !== START) return undefined;
  const { src } = (openEntry(entry)?.message.data ?? {}) as { src?: unknown };
  if (typeof src !== 'string') return undefined;
  return { parent: { address: parent, childId: src, src }, incarnation: entry.effectId };
}
