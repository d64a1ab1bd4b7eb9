import type { ChainPlace } from '../chain/segment-naming.ts';
import { actorLayout, type RoomLayout } from '../message/layout.ts';

/** Where the journal of a workflow lies: `journal/<first seq>.jsonl`. */
export function journalPlace(layout: RoomLayout, address: string): ChainPlace {
  return { directory: actorLayout(layout, address).journal, naming: { prefix: '', suffix: '.jsonl' } };
}
