import fs from 'node:fs';
import { nodeHost } from '../../src/host/node-host.ts';
import { createIdSource, timeOfId } from '../../src/message/message-id.ts';
import { mailboxOf } from '../../src/room/context.ts';
import { contextOf } from '../../src/room/room.ts';
import { sealMessage } from '../../src/signing/seal.ts';
import type { Pair } from './pair.ts';

interface Flood {
  readonly from: string;
  readonly to?: string;
  readonly type?: string;
  readonly count: number;
  readonly claim?: string;
}

/**
 * Puts messages of one sender straight into a mailbox, bob's unless another is named: into `new` or, with `claim`, into `cur` under
 * that attempt and end. The code under test is the reader.
 */
export function putFlood(
  { readerRoom }: Pick<Pair, 'readerRoom'>,
  { from, to = 'bob', type = 'INFO', count, claim }: Flood,
): void {
  const context = contextOf(readerRoom);
  const mailbox = mailboxOf(context, to);
  if (!mailbox) throw new Error(`${to} has no mailbox`);
  const ids = createIdSource(nodeHost.randomBytes);
  const key = context.keyring.signerOf(from);
  const startMs = Date.now();
  for (let number = 0; number < count; number++) {
    const id = ids.next(startMs);
    const message = {
      id,
      room: context.config.roomId,
      from,
      to: [to],
      type,
      sentAt: new Date(timeOfId(id)).toISOString(),
      content: String(number),
    };
    const { name, bytes } = sealMessage(message, { key, limits: context.config.limits });
    const path = claim === undefined ? `${mailbox.layout.new}/${name}` : `${mailbox.layout.cur}/${name}${claim}`;
    fs.writeFileSync(path, bytes);
  }
}
