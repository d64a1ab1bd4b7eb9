import { Conflict, RoomRefused, UPDATE_HINT } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { ensureDirectory, publishFile, readBounded, stagedPath, syncDirectories, syncFile } from '../host/files.ts';
import { sha256Hex } from '../host/sha256.ts';
import { refuse } from '../mailbox/dead.ts';
import type { Durability, Mailbox } from '../mailbox/mailbox.ts';
import { frame, unframe } from '../message/frame.ts';
import { messageFileName, replyRecordName } from '../message/layout.ts';
import { dayOfId, isMessageId } from '../message/message-id.ts';
import type { Message } from '../message/message.ts';
import type { RoomContext } from './context.ts';
import type { Draft } from './draft.ts';

const RECORD_VERSION = 1;
const RECORD_BYTES_MAX = 4_096;
const TRIES_MAX = 3;

/**
 * Under which id one actor answers one message with one draft, so that a reply that was killed and is repeated as it was typed
 * arrives once. It lies in the replier's mailbox, `replies/<day of the question>/<name of the question>.<hash of the draft>.json`:
 *
 * | record | answer            | the same reply, repeated        |
 * |--------|-------------------|---------------------------------|
 * | no     | was not sent      | is sent under a new id          |
 * | yes    | may have been sent | is a repetition under that id  |
 *
 * The first record counts. Another draft has another record, so a second, different answer is possible.
 */
export interface ReplyRecord {
  /** The id in it; undefined when there is none yet. */
  recorded(): string | undefined;
  /** Puts the id up, unless there is one. Resolves with the one that counts, which survives what the durability says. */
  publish(id: string, durability: Durability): Promise<string>;
}

/** The record of one answer. `mailbox` is that of the replier, whose key signs the record. */
export function replyRecordOf(
  context: RoomContext,
  { mailbox, answered, draft }: { mailbox: Mailbox; answered: Message; draft: Draft },
): ReplyRecord {
  const { files, randomBytes } = mailbox.host;
  const { layout } = mailbox;
  const hash = hashOf(draft);
  const name = replyRecordName(messageFileName(answered), hash);
  const directory = `${layout.replies}/${dayOfId(answered.id)}`;
  const path = `${directory}/${name}`;
  const room = context.config.roomId;
  const write = (id: string): string =>
    JSON.stringify({ v: RECORD_VERSION, room, record: 'reply', id, to: answered.from, replyTo: answered.id, hash });

  const recorded = (): string | undefined => {
    const read = readRecord(mailbox, path);
    if (read === undefined) return undefined;
    const id = read instanceof Buffer ? believedId(context, { bytes: read, mailbox, path, write }) : undefined;
    // Whoever put it there was not this actor. It is kept as what it is, and the reply begins anew.
    if (id === undefined) refuse(mailbox, { path, name, refusal: FORGED });
    return id;
  };

  const publish = async (id: string, durability: Durability): Promise<string> => {
    const signed = Buffer.from(write(id));
    const bytes = frame(signed, context.keyring.signerOf(mailbox.address).sign(signed));
    const durable = durability === 'power';
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      try {
        ensureDirectory(files, layout.replies);
        ensureDirectory(files, directory);
        const staged = stagedPath(layout.tmp, randomBytes);
        // At this link the answer has its id.
        const isFirst = await publishFile(files, { path, staged, bytes, mode: 0o600, durable });
        const counts = isFirst ? id : recorded();
        if (counts === undefined) continue;
        // Also what was there: whoever made it may have been killed before it could sync it.
        if (durable && !isFirst) await syncFile(files, path);
        if (durable) await syncDirectories(files, [directory, layout.replies, layout.directory]);
        return counts;
      } catch (error) {
        // A purge removed the directory of the day in between.
        if (errnoOf(error) !== 'ENOENT' || tries === TRIES_MAX) throw error;
      }
    }
    throw new Conflict(
      `The record of this reply, ${path}, is not one of ${mailbox.address}, and cannot be moved away.`,
      {
        hint: 'Remove that file, then repeat the reply.',
      },
    );
  };
  return { recorded, publish };
}

const FORGED = {
  reason: 'bad-signature',
  detail: 'it is no record of a reply that the owner of this mailbox signed',
} as const;

/** What makes two drafts the same answer for whoever types the command again. When it expires is said as a length of time. */
function hashOf({ type, content, data, needsAck, expiresInMs }: Draft): string {
  return sha256Hex(JSON.stringify({ type, content, data, needsAck, expiresInMs }));
}

function readRecord({ host }: Mailbox, path: string): Buffer | 'unreadable' | undefined {
  try {
    const read = readBounded(host.files, path, RECORD_BYTES_MAX);
    return 'bytes' in read ? read.bytes : 'unreadable';
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether the file is a record that the owner of the mailbox signed, whatever it answers. */
export function isReplyRecord(
  { keyring }: RoomContext,
  { mailbox, path }: { mailbox: Mailbox; path: string },
): boolean {
  const read = readRecord(mailbox, path);
  const framed = read instanceof Buffer ? unframe(read) : undefined;
  const key = framed && keyring.verifierOf(mailbox.address, framed.keyId);
  return framed !== undefined && key?.verify(framed.signed, framed.value) === true;
}

/** The id in a record that its own actor signed, for this answer; undefined for everything else. */
function believedId(
  context: RoomContext,
  options: { bytes: Buffer; mailbox: Mailbox; path: string; write: (id: string) => string },
): string | undefined {
  const { bytes, mailbox, path, write } = options;
  const framed = unframe(bytes);
  const key = context.keyring.signerOf(mailbox.address);
  if (framed?.keyId !== key.keyId || !key.verify(framed.signed, framed.value)) return undefined;
  const text = framed.signed.toString('utf8');
  const { v, id } = JSON.parse(text) as { v?: unknown; id?: unknown };
  if (typeof v === 'number' && v > RECORD_VERSION) {
    throw new RoomRefused(`The record ${path} has version ${v}; this Mailroom knows ${RECORD_VERSION}.`, {
      hint: UPDATE_HINT,
    });
  }
  return typeof id === 'string' && isMessageId(id) && write(id) === text ? id : undefined;
}
