import { RoomNotFound, RoomRefused, UPDATE_HINT } from '../errors.ts';
import { errnoOf, type FileSystem } from '../host/file-system.ts';
import { readBounded } from '../host/files.ts';
import { quote } from '../host/shell-word.ts';
import type { RoomLayout } from '../message/layout.ts';
import type { Algorithm } from '../signing/keys.ts';
import { readLimits, type RoomLimits } from './limits.ts';

const FORMAT_VERSION = 1;
const CONFIG_BYTES_MAX = 1024 * 1024;

/** The content of `room.json`. */
export interface RoomConfig {
  /** The room's id: 16 hexadecimal digits in rooms that this version makes. */
  readonly roomId: string;
  /** How messages are signed. */
  readonly algorithm: Algorithm;
  /** The limits of actors that have none of their own. */
  readonly limits: RoomLimits;
  /** The limits of one actor: the room's, with what `room.json` sets for this address. */
  limitsOf(address: string): RoomLimits;
}

/** The text of a new room's `room.json`. */
export function writeConfig(config: {
  roomId: string;
  algorithm: Algorithm;
  limits?: Partial<RoomLimits> | undefined;
}): string {
  const { roomId, algorithm, limits = {} } = config;
  return `${JSON.stringify({ version: FORMAT_VERSION, room: roomId, algorithm, limits, actors: {} }, null, 2)}\n`;
}

/** Throws `RoomNotFound` only if nothing is at the path: where something is, making a room would not help. */
function textOf(files: FileSystem, { config, directory }: RoomLayout): string {
  try {
    const read = readBounded(files, config, CONFIG_BYTES_MAX);
    if ('bytes' in read) return read.bytes.toString('utf8');
    const hint = read.unreadable.includes('EACCES')
      ? `Let its owner read it: chmod 600 ${quote(config)}`
      : `Restore the file from a backup. If there never was a room: mv ${quote(config)} ${quote(`${config}.old`)} && mailroom init`;
    throw new RoomRefused(`${config} cannot be read: ${read.unreadable}.`, { hint });
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new RoomNotFound(`${directory} is not a room: it has no room.json.`, {
      cause: error,
      hint: `Make one with: mailroom init --room ${quote(directory)}`,
    });
  }
}

/** Reads `room.json`. Throws `RoomNotFound` if there is none, `RoomRefused` for a newer format or invalid content. */
export function readConfig(files: FileSystem, layout: RoomLayout): RoomConfig {
  const broken = (what: string, cause?: unknown): RoomRefused =>
    new RoomRefused(`${layout.config} ${what}.`, {
      cause,
      hint: 'Restore the file from a backup, or fix it by hand; it is JSON.',
    });
  const text = textOf(files, layout);
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw broken('is not JSON', cause);
  }
  if (typeof parsed !== 'object' || parsed === null) throw broken('is not a JSON object');
  const { version, room, algorithm, limits, actors = {} } = parsed;
  if (typeof version === 'number' && version > FORMAT_VERSION) {
    throw new RoomRefused(`${layout.config} has format version ${version}; this Mailroom knows ${FORMAT_VERSION}.`, {
      hint: UPDATE_HINT,
    });
  }
  if (version !== FORMAT_VERSION) throw broken(`has no format version: expected "version": ${FORMAT_VERSION}`);
  if (typeof room !== 'string' || room.length === 0 || room.length > 64) throw broken('has no room id');
  if (algorithm !== 'hmac-sha256' && algorithm !== 'ed25519') {
    throw broken(`has the signing algorithm ${JSON.stringify(algorithm)}: expected "hmac-sha256" or "ed25519"`);
  }
  if (typeof actors !== 'object' || actors === null) throw broken('has no object under "actors"');
  const own = new Map(
    Object.entries(actors).map(([address, set]) => [
      address,
      readLimits({ ...(limits as object | undefined), ...(set as object) }, `${layout.config} actors.${address}`),
    ]),
  );
  const shared = readLimits(limits, `${layout.config} limits`);
  return { roomId: room, algorithm, limits: shared, limitsOf: (address) => own.get(address) ?? shared };
}
