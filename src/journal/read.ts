import { openLast } from '../chain/open-last.ts';
import { readChain } from '../chain/read-chain.ts';
import type { ChainPlace } from '../chain/segment-files.ts';
import { errnoOf } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import { actorLayout, type RoomLayout } from '../message/layout.ts';
import { JournalFold } from './fold.ts';
import type { CommitRecord, FailedRecord, JournalBody, NoteRecord, OpenRecord, PerformedRecord } from './record.ts';

/** One record of a journal, with its number. */
export type JournalEntry = { readonly seq: number } & (
  | { readonly open: OpenRecord }
  | { readonly commit: CommitRecord }
  | { readonly failed: FailedRecord }
  | { readonly note: NoteRecord }
  | { readonly performed: PerformedRecord }
);

interface JournalSource {
  readonly host: Pick<Host, 'files'>;
  readonly layout: RoomLayout;
}

/**
 * Reads the whole history of a workflow, oldest first, and changes nothing. Returns whether there is a journal. Throws
 * ChainDamaged and errors of the file system.
 */
export function readJournal(
  { host, layout }: JournalSource,
  address: string,
  onEntry: (entry: JournalEntry) => void,
): boolean {
  return readChain(host.files, journalPlace(layout, address), (record) => {
    if ('body' in record) onEntry({ seq: record.seq, ...(record.body as JournalBody) });
  });
}

/** The current state of a journal, read from its last segment alone; undefined if there is none. Throws what `readJournal` throws. */
export function readJournalState({ host, layout }: JournalSource, address: string): JournalFold | undefined {
  const place = journalPlace(layout, address);
  try {
    const segment = openLast(host.files, { ...place, above: 0, removes: false });
    if (!segment) return undefined;
    const fold = new JournalFold(place.directory);
    try {
      segment.readOn((record) => fold.apply(record));
    } finally {
      segment.close();
    }
    return fold;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** The place of a workflow's journal: `journal/<first seq>.jsonl`. */
export function journalPlace(layout: RoomLayout, address: string): ChainPlace {
  return { directory: actorLayout(layout, address).journal, naming: { prefix: '', suffix: '.jsonl' } };
}

/** A record, and the address of the workflow whose journal it is in. */
export interface WorkflowEntry {
  readonly address: string;
  readonly entry: JournalEntry;
}
