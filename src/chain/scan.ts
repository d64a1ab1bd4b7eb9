import { ChainDamaged } from '../errors.ts';
import { quote } from '../host/shell-word.ts';
import { claimedSeq, decodeLine, GENESIS, RECORD_BYTES_MAX, type ChainRecord } from './record.ts';

const NEWLINE = 0x0a;
const CLOSING_BRACE = 0x7d;

/** Where a segment is in its chain. */
export interface ScanStart {
  /** For error messages only. */
  readonly path: string;
  /** The seq of the segment's first record. */
  readonly first: number;
  /** The hash of the record before it; undefined if only this segment is read, whose opening record is then trusted. */
  readonly prev?: string | undefined;
}

/**
 * Decides which records of one segment count. The rule, by which any number of writers agree without a lock: **a record
 * counts if and only if it is complete and its `seq` and `prev` extend the chain.**
 *
 * - Torn pieces are skipped, and so are complete records whose seq is already taken: their writers lost a race.
 * - A complete record that is ahead of the chain, or matches its seq but not its prev, means that something before it
 *   has changed since it was written, because its writer had read all of it. That is damage, and nothing after it is
 *   trusted.
 * - A last line that is not complete stays unread, because its writer may be in the middle of it.
 */
export class ChainScan {
  readonly path: string;
  readonly #first: number;
  #offset = 0;
  #seq: number;
  #prev: string | undefined;
  #isSealed = false;
  #isOpened: boolean;

  constructor({ path, first, prev }: ScanStart) {
    this.path = path;
    this.#first = first;
    this.#seq = first - 1;
    this.#prev = first === 1 ? GENESIS : prev;
    // The first segment has nothing to carry, so it needs no opening record.
    this.#isOpened = first === 1;
  }

  /** Bytes of the file that are decided; feed what follows next. */
  get offset(): number {
    return this.#offset;
  }
  /** The seq of the last record that counts; one below the segment's number if none does. */
  get seq(): number {
    return this.#seq;
  }
  /** The hash of the last record that counts; undefined while it is unknown what the segment continues. */
  get prev(): string | undefined {
    return this.#prev;
  }
  /** Whether the record that ends this segment counts. */
  get isSealed(): boolean {
    return this.#isSealed;
  }
  /** Whether the record that carries the state into this segment counts. */
  get isOpened(): boolean {
    return this.#isOpened;
  }

  /**
   * Takes the bytes that begin at `offset`, gives every record that counts to `onRecord`, and returns how many bytes
   * are decided. Throws ChainDamaged; then, as when `onRecord` throws, `offset` stays at the record in question.
   */
  feed(bytes: Buffer, onRecord: (record: ChainRecord) => void): number {
    const from = this.#offset;
    let start = 0;
    while (start < bytes.length) {
      const end = bytes.indexOf(NEWLINE, start);
      const line = bytes.subarray(start, end < 0 ? bytes.length : end);
      if (end < 0) {
        // A record is complete as soon as its hash matches; only its newline may be missing.
        const record = line.at(-1) === CLOSING_BRACE ? decodeLine(line) : undefined;
        if (!record) {
          if (line.length > RECORD_BYTES_MAX) throw this.#damage(`a line is longer than ${RECORD_BYTES_MAX} bytes`);
          break;
        }
        this.#take(record, onRecord);
        start = bytes.length;
      } else {
        if (line.length > 0) this.#line(line, onRecord);
        start = end + 1;
      }
      this.#offset = from + start;
    }
    return this.#offset - from;
  }

  /** Takes a record whose bytes the caller knows to be at `offset`. */
  accept(record: ChainRecord, byteLength: number, onRecord: (record: ChainRecord) => void): void {
    this.#take(record, onRecord);
    this.#offset += byteLength;
  }

  #line(line: Buffer, onRecord: (record: ChainRecord) => void): void {
    const record = decodeLine(line);
    if (record) {
      this.#take(record, onRecord);
      return;
    }
    const claimed = claimedSeq(line);
    if (claimed !== undefined && claimed > this.#seq) {
      throw this.#damage(`record ${claimed} is there with a hash that does not match`);
    }
  }

  #take(record: ChainRecord, onRecord: (record: ChainRecord) => void): void {
    if (record.seq <= this.#seq) return;
    if (this.#isSealed) throw this.#damage(`record ${record.seq} is behind the seal of this segment`);
    if (record.seq > this.#seq + 1) throw this.#damage(`the next whole record is ${record.seq}`);
    if (this.#prev !== undefined && record.prev !== this.#prev) {
      throw this.#damage(
        `record ${record.seq} continues ${record.prev.slice(0, 12)}…, not ${this.#prev.slice(0, 12)}…`,
      );
    }
    if ('carried' in record === this.#isOpened) {
      throw this.#damage(
        this.#isOpened ? `an opening record is there` : `record ${record.seq} does not open the segment`,
      );
    }
    onRecord(record);
    this.#seq = record.seq;
    this.#prev = record.hash;
    this.#isOpened = true;
    if ('seal' in record) this.#isSealed = true;
  }

  #damage(found: string): ChainDamaged {
    const { path } = this;
    return new ChainDamaged(
      `the chain file ${path} is damaged at byte ${this.#offset}: expected record ${this.#seq + 1} there, but ${found}`,
      {
        hint:
          `Nothing was changed. Restore the file from a backup; or keep a copy and continue without what follows: ` +
          (this.#offset === 0 && this.#first > 1 ? `rm ${quote(path)}` : `truncate -s ${this.#offset} ${quote(path)}`),
      },
    );
  }
}
