import { Conflict } from '../../src/errors.ts';
import { createFile, removeQuietly, stagedPath } from '../../src/host/files.ts';
import { compareSigned, findBeyondNew } from '../../src/mailbox/find.ts';
import { shareOf } from '../../src/mailbox/deliver.ts';
import { linkIntoNew } from '../../src/mailbox/link.ts';
import { purgedThrough } from '../../src/mailbox/purge.ts';
import type { SealedMessage } from '../../src/signing/seal.ts';
import type { Actor } from './world.ts';

const STAGE_TRIES_MAX = 3;

/**
 * A send with a given id in one synchronous piece, so that it can run between two calls of another verb. It makes
 * exactly the calls of `deliver` with `process` durability; a test compares the two, call by call.
 */
export function sendInSteps(actor: Actor, sealed: SealedMessage): 'delivered' | 'conflict' | 'failed' {
  const { mailbox } = actor;
  const { files, randomBytes } = mailbox.host;
  purgedThrough(mailbox);
  const { name, signed } = sealed;
  const before = compareSigned(mailbox, { path: `${mailbox.layout.new}/${name}`, name, signed });
  if (before === 'equal') return 'delivered';
  if (before === 'different') return 'conflict';
  for (const { path } of findBeyondNew(mailbox, name)) {
    const compared = compareSigned(mailbox, { path, name, signed });
    if (compared === 'equal') return 'delivered';
    if (compared === 'different') return 'conflict';
  }
  shareOf(mailbox, sealed.message.from);
  for (let tries = 1; tries <= STAGE_TRIES_MAX; tries++) {
    const staged = stagedPath(mailbox.layout.tmp, randomBytes);
    createFile(files, staged, sealed.bytes, 0o400);
    try {
      if (linkIntoNew(mailbox, { staged, names: 1, sealed }) !== 'staged-gone') return 'delivered';
    } catch (error) {
      return error instanceof Conflict ? 'conflict' : 'failed';
    } finally {
      removeQuietly(files, staged);
    }
  }
  return 'failed';
}
