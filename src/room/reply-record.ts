import { Conflict, RoomRefused, UPDATE_HINT } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { ensureDirectory, publishFile, readBounded, stagedPath, syncDirectories, syncFile } from '../host/files.ts';
import { sha256Hex } from '../host/sha256.ts';
import { refuse } from '../mailbox/dead.ts';
import type { Durability, Mailbox } from '../mailbox/mailbox.ts';
import { frame, unframe } from '../message/envelope.ts';
import { messageFileName, replyRecordName } from '../message/layout.ts';
import { dayOfId, isMessageId } from '../message/message-id.ts';
import type { Message } from '../message/message.ts';
import type { RoomContext } from './context.ts';
import type { Draft } from './draft.ts';

const RECORD_VERSION = 1;
const RECORD_BYTES_MAX = 4_096;
const TRIES_MAX = 3;

/**
 * The id under which one actor replies to one message with one draft. It makes a reply idempotent: one that was
 * killed and is retried as it was typed arrives once. The record is in the replier's mailbox, at
 * `replies/<day of the question>/<name of the question>.<hash of the draft>.json`:
 *
 * | record | the reply          | a retry of the same reply    |
 * |--------|--------------------|------------------------------|
 * | no     | was not sent       | is sent under a new id       |
 * | yes    | may have been sent | is a retry under that id     |
 *
 * The first record counts. Another draft has another record, so a second, different reply is possible.
 */
export interface ReplyRecord {
  /** The recorded id; undefined if there is no record yet. */
  recorded(): string | undefined;
  /**
   * Publishes the id unless one is recorded. Resolves with the id that counts, which survives what the durability
   * promises.
   */
  publish(id: string, durability: Durability): Promise<string>;
}

/** The record of one reply. `mailbox` is the replier's, whose key signs the record. */
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
    const id = read instanceof Buffer ? signedId(context, { bytes: read, mailbox, path, write }) : undefined;
    // Another actor put it there. It is kept as refused, and the reply starts over.
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
        // At this link the reply has its id.
        const isFirst = await publishFile(files, { path, staged, bytes, mode: 0o600, durable });
        const counts = isFirst ? id : recorded();
        if (counts === undefined) continue;
        // An existing record too: the process that made it may have been killed before it could sync it.
        if (durable && !isFirst) await syncFile(files, path);
        if (durable) await syncDirectories(files, [directory, layout.replies, layout.directory]);
        return counts;
      } catch (error) {
        // A purge removed the directory of the day in between.
        if (errnoOf(error) !== 'ENOENT' || tries === TRIES_MAX) throw error;
      }
    }
    throw new Conflict(
      `The record of this reply, ${path}, is not signed by ${mailbox.address} and cannot be moved away.`,
      {
        hint: 'Remove that file, then repeat the reply.',
      },
    );
  };
  return { recorded, publish };
}

const FORGED = {
  reason: 'bad-signature',
  detail: 'it is not a reply record signed by the owner of this mailbox',
} as const;

/** What makes two drafts the same reply when a command is repeated. The expiry is a duration here, not a time. */
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

/** Whether the file is a record that the owner of the mailbox signed, whatever it replies to. */
export function isReplyRecord(
  { keyring }: RoomContext,
  { mailbox, path }: { mailbox: Mailbox; path: string },
): boolean {
  const read = readRecord(mailbox, path);
  const framed = read instanceof Buffer ? unframe(read) : undefined;
  const key = framed && keyring.verifierOf(mailbox.address, framed.keyId);
  return framed !== undefined && key?.verify(framed.signed, framed.value) === true;
}

/** The id in a record for this reply that the actor itself signed; undefined for everything else. */
function signedId(
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
