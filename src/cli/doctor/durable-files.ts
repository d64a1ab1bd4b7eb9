import { ACTOR_FILES } from './actor-files.ts';
import type { DurableFile } from './durable-file.ts';
import { MAILBOX_FILES } from './mailbox-files.ts';
import { ROOM_FILES } from './room-files.ts';

/** Every durable file of a room, parents before what lies in them. */
export const DURABLE_FILES: readonly DurableFile[] = [...ROOM_FILES, ...ACTOR_FILES, ...MAILBOX_FILES];
