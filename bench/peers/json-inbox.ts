import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import lockfile from 'proper-lockfile';
import { CONTENT_600_B } from '../bench-room.ts';

const HELD = 300;

/**
 * What many tools do instead: one JSON file with all the mail, indented, rewritten for each message under a lock; by a
 * rename, so that a kill tears nothing.
 */
export interface JsonInbox {
  send(index: number): Promise<void>;
}

export function makeJsonInbox(directory: string): JsonInbox {
  const file = path.join(directory, 'inbox.json');
  const messageOf = (index: number): object => ({
    id: `0190a000-0000-7000-8000-${String(index).padStart(12, '0')}`,
    from: 'alice',
    to: ['bob'],
    type: 'INFO',
    sentAt: '2026-01-01T00:00:00.000Z',
    content: CONTENT_600_B,
    signature: 'f'.repeat(64 + 80),
  });
  fs.writeFileSync(
    file,
    JSON.stringify(
      Array.from({ length: HELD }, (_, index) => messageOf(index)),
      null,
      2,
    ),
  );
  return {
    send: async (index) => {
      const release = await lockfile.lock(file, { realpath: false });
      const messages = JSON.parse(await fsp.readFile(file, 'utf8')) as object[];
      messages.push(messageOf(HELD + index));
      // The reader takes one meanwhile, so that there are always as many.
      messages.shift();
      await fsp.writeFile(`${file}.tmp`, JSON.stringify(messages, null, 2));
      await fsp.rename(`${file}.tmp`, file);
      await release();
    },
  };
}
