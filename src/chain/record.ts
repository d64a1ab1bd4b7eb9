import { InvalidInput } from '../errors.ts';
import { isHex } from '../host/hex.ts';
import { sha256Hex } from '../host/sha256.ts';

/** `prev` of the first record of a chain. */
export const GENESIS = '0'.repeat(64);
/** No record is longer; a longer line cannot be one. */
export const RECORD_BYTES_MAX = 16 * 1024 * 1024;

const HASH_CHARS = 64;
const SPACE = 0x20;

/** Content of a record: a body of the chain's user; the end of a segment; or, first in a segment, the state so far. */
export type RecordContent = { readonly body: unknown } | { readonly seal: true } | { readonly carried: unknown };

export interface RecordHead {
  /** One more than that of the record before; the first is 1. */
  readonly seq: number;
  /** `hash` of the record before it; GENESIS for the first. */
  readonly prev: string;
  /** The random name of its writer, so that no two writers ever write the same record. */
  readonly by: string;
}

/** `hash` is the SHA-256 of the JSON's bytes, in hex. */
export type ChainRecord = RecordHead & { readonly hash: string } & RecordContent;

/**
 * The bytes of a record: newline, hash, space, JSON, newline. The leading newline puts the record on a line of its own,
 * even behind a torn piece that a crash left. Throws InvalidInput if the content is not JSON, RecordTooLarge.
 */
export function encodeRecord(
  head: RecordHead,
  content: RecordContent,
  bytesMax = RECORD_BYTES_MAX,
): { record: ChainRecord; bytes: Buffer } {
  const [name, value] = Object.entries(content)[0] ?? ['body', undefined];
  const written = JSON.stringify(value);
  if (written === undefined) {
    throw new InvalidInput(`record ${head.seq} cannot be written: its content is ${typeof value}, expected JSON`);
  }
  const json = `{"seq":${head.seq},"prev":"${head.prev}","by":${JSON.stringify(head.by)},"${name}":${written}}`;
  const digest = sha256Hex(json);
  const bytes = Buffer.from(`\n${digest} ${json}\n`);
  if (bytes.length > bytesMax) throw new RecordTooLarge({ seq: head.seq, bytes: bytes.length, bytesMax });
  return { record: withContent(head, digest, content), bytes };
}

/** The record on a line (without its newlines); undefined if the line is not a complete record. */
export function decodeLine(line: Buffer): ChainRecord | undefined {
  if (line[HASH_CHARS] !== SPACE) return undefined;
  const json = line.subarray(HASH_CHARS + 1);
  const digest = line.toString('latin1', 0, HASH_CHARS);
  if (sha256Hex(json) !== digest) return undefined;
  return recordOf(json.toString('utf8'), digest);
}

/**
 * The seq claimed by a line that is not a valid record and yet parses from its first brace to its last. No crash leaves
 * that, since a crash leaves only the beginning of a record.
 */
export function claimedSeq(line: Buffer): number | undefined {
  const start = line.indexOf('{');
  if (start < 0) return undefined;
  const claimed = parsed(line.toString('utf8', start));
  return typeof claimed === 'object' && claimed !== null && 'seq' in claimed && Number.isSafeInteger(claimed.seq)
    ? Number(claimed.seq)
    : undefined;
}

function recordOf(json: string, digest: string): ChainRecord | undefined {
  const value = parsed(json);
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('seq' in value) || !('prev' in value) || !('by' in value)) return undefined;
  const { seq, prev, by } = value;
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1) return undefined;
  if (typeof prev !== 'string' || !isHash(prev) || typeof by !== 'string') return undefined;
  const head = { seq, prev, by };
  if ('body' in value) return withContent(head, digest, { body: value.body });
  if ('seal' in value) return withContent(head, digest, { seal: true });
  return 'carried' in value ? withContent(head, digest, { carried: value.carried }) : undefined;
}

function isHash(text: string): boolean {
  return text.length === HASH_CHARS && isHex(text, 0, HASH_CHARS);
}

/** Spelled out, because spreading two objects costs more than everything else in the encoding of a record. */
function withContent({ seq, prev, by }: RecordHead, digest: string, content: RecordContent): ChainRecord {
  if ('body' in content) return { seq, prev, by, hash: digest, body: content.body };
  if ('seal' in content) return { seq, prev, by, hash: digest, seal: true };
  return { seq, prev, by, hash: digest, carried: content.carried };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** A record was not appended because it is larger than a record may be. Nothing was written. */
export class RecordTooLarge extends InvalidInput {
  readonly bytes: number;
  readonly bytesMax: number;

  constructor({ seq, bytes, bytesMax }: { seq: number; bytes: number; bytesMax: number }) {
    super(`record ${seq} has ${bytes} bytes, the limit is ${bytesMax}`, {
      hint: 'Keep what is large in files, and give their paths.',
    });
    this.bytes = bytes;
    this.bytesMax = bytesMax;
  }
}
