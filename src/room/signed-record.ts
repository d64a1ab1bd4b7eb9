import { RoomRefused, UPDATE_HINT } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { readBounded } from '../host/files.ts';
import { frame, unframe } from '../message/envelope.ts';
import type { RoomContext } from './context.ts';
import { type Fields, fieldsIn } from '../host/json-file.ts';

const RECORD_VERSION = 1;
const RECORD_BYTES_MAX = 64 * 1024;

/**
 * The bytes of a record that an actor keeps for itself and acts on later: framed like a message and signed with the
 * actor's key.
 */
export function signedRecord({ config, keyring }: RoomContext, address: string, fields: Fields): Buffer {
  const signed = Buffer.from(JSON.stringify({ v: RECORD_VERSION, room: config.roomId, ...fields }));
  return frame(signed, keyring.signerOf(address).sign(signed));
}

/**
 * The fields of a record of this room and kind, signed by the address that `signer` takes from them. Undefined if there
 * is none or that address did not sign it. Throws `RoomRefused` for a record of a newer version.
 */
export function readSignedRecord(
  { host, config, keyring }: RoomContext,
  { path, record, signer }: { path: string; record: string; signer: (fields: Fields) => unknown },
): Fields | undefined {
  let read: ReturnType<typeof readBounded>;
  try {
    read = readBounded(host.files, path, RECORD_BYTES_MAX);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const framed = 'bytes' in read ? unframe(read.bytes) : undefined;
  const fields = framed && fieldsIn(framed.signed.toString('utf8'));
  const address = fields && signer(fields);
  if (!framed || !fields || typeof address !== 'string') return undefined;
  const key = keyring.verifierOf(address, framed.keyId);
  if (!key?.verify(framed.signed, framed.value)) return undefined;
  const { v, room } = fields;
  if (typeof v === 'number' && v > RECORD_VERSION) {
    throw new RoomRefused(`The record ${path} has version ${v}; this Mailroom knows ${RECORD_VERSION}.`, {
      hint: UPDATE_HINT,
    });
  }
  return v === RECORD_VERSION && room === config.roomId && fields['record'] === record ? fields : undefined;
}
