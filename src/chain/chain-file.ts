import { WaitTimeout } from '../errors.ts';
import { allOrThrow, syncDirectory } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { ChainRemoved, type Segment, withPath } from './segment.ts';
import { linkNext, openNext } from './next-segment.ts';
import { openLastOrFirst, readPrevious } from './open-last.ts';
import { encodeRecord, RECORD_BYTES_MAX, type ChainRecord, type RecordContent } from './record.ts';
import { type ChainPlace, sweepSegments } from './segment-files.ts';

const TRIES_MAX = 16;
const NONCE_BYTES = 8;
/** Needed by a reader of the second-to-last segment, and by one that finds only an empty last segment. */
const SEGMENTS_KEPT_MIN = 2;

export interface ChainOptions extends ChainPlace {
  readonly host: Pick<Host, 'files' | 'randomBytes'>;
  /**
   * A segment of this size is sealed before the next append; well above what `carry` returns, which has to fit in one
   * record.
   */
  readonly segmentBytesMax: number | ((grownTo: number) => number);
  /** Whether a segment's end and its successor are synced to disk before the successor is used. */
  readonly durable: boolean;
  /** How many of the last segments to keep, at least 2. Default: all. */
  readonly segmentsKept?: number;
  /**
   * Called with every record that counts, once and in order, whoever wrote it. A record with `carried` replaces all
   * state so far; if segments were removed unread, it stands for their content. If this throws, the next call gets the
   * same record again.
   */
  readonly onRecord: (record: ChainRecord) => void;
  /** The state, as JSON, after the records given so far; it opens the next segment. */
  readonly carry: () => unknown;
}

/** `won: false` means fenced: records of others came first and were given to `onRecord`; decide again based on them. */
export type AppendOutcome = { readonly won: true; readonly record: ChainRecord } | { readonly won: false };

/**
 * An append-only file in segments. The content of the files decides who was first, so that processes need no lock to
 * agree. States of a segment, by its content:
 *
 * | content | state | next |
 * |---|---|---|
 * | nothing that counts | new (the first), or emptied by a power loss | the first takes records; any other gets its opening record again |
 * | an opening record or records | in use | appends, until its size reaches `segmentBytesMax` |
 * | a seal as its last record | sealed | the next segment appears by a link, its opening record carrying the state |
 *
 * Guarantee: all readers see the same records in the same order. They include the record of a writer that was told it
 * won, and not that of a writer that was told it was fenced. What a crash at any instant leaves is skipped; damage is
 * refused.
 */
export class ChainFile {
  /** This writer's name in its records. */
  readonly by: string;
  readonly #options: ChainOptions;
  #segment: Segment;
  #hasEntry = false;
  /** Grows with each entry and each jump; an append is judged against the version at which the caller decided. */
  #version = 0;
  #moving: Promise<void> | undefined;
  #directoryIsSynced = false;
  #isClosed = false;

  /** Opens or begins the chain and reads its last segment. Throws ChainDamaged and errors of the file system. */
  constructor(options: ChainOptions) {
    const { host, segmentsKept } = options;
    if (segmentsKept !== undefined && segmentsKept < SEGMENTS_KEPT_MIN) {
      throw new RangeError(`segmentsKept is ${segmentsKept}, expected at least ${SEGMENTS_KEPT_MIN}`);
    }
    this.#options = options;
    this.by = host.randomBytes(NONCE_BYTES).toString('hex');
    this.#segment = openLastOrFirst(host.files, { ...options, removes: segmentsKept !== undefined });
    try {
      this.#readSegment();
    } catch (error) {
      this.#segment.close();
      throw error;
    }
  }

  /** Where the next record goes, for error messages. */
  get path(): string {
    return this.#segment.path;
  }

  /**
   * Whether the next append first has to end or begin a segment, which costs more and which others may attempt as well.
   */
  get isTurning(): boolean {
    const { scan } = this.#segment;
    return scan.isSealed || !scan.isOpened || this.#isFull();
  }

  /** Gives `onRecord` what others appended since. Throws ChainDamaged and errors of the file system. */
  readOn(): void {
    for (;;) {
      this.#readSegment();
      if (!this.#segment.scan.isSealed || this.#moving) return;
      const next = openNext(this.#options, this.#segment);
      if (!next) return;
      this.#adopt(next);
    }
  }

  /**
   * Appends a record with this body (JSON), decided on the state that `onRecord` has been given. Usually one write, one
   * read and one look at the path. Throws RecordTooLarge, ChainRemoved, and errors of the file system. After an error
   * the record does not count, unless reading failed: then the next `readOn` shows whether it does (its `by` is this
   * writer's).
   */
  async append(body: unknown, bytesMax = RECORD_BYTES_MAX): Promise<AppendOutcome> {
    const version = this.#version;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      if (!this.#segment.scan.isOpened) this.#readSegment();
      const { scan } = this.#segment;
      if (scan.isSealed) {
        await this.#moveOn();
      } else if (!scan.isOpened) {
        this.#attempt({ carried: this.#options.carry() });
      } else if (this.#isFull()) {
        this.#attempt({ seal: true });
      } else {
        const record = this.#attempt({ body }, bytesMax);
        if (record) return { won: true, record };
      }
      if (this.#version !== version) {
        // Others are ahead, perhaps by segments; the next decision has to be based on all of it.
        if (this.#segment.scan.isSealed) this.readOn();
        return { won: false };
      }
    }
    throw new WaitTimeout(`nothing could be appended to ${this.path}: ${TRIES_MAX} writes were all cut short`, {
      hint: 'Check whether the disk is full (df), then try again.',
    });
  }

  /**
   * Waits until what was appended is on disk, including the name of a new segment; for durable chains. After a failure
   * this and every append fail: open the chain again and see what is there. Throws errors of the file system.
   */
  async sync(): Promise<void> {
    await allOrThrow([this.#segment.sync(), ...(this.#directoryIsSynced ? [] : [this.#syncDirectory()])]);
  }

  /**
   * Whether the files were removed or replaced by hand, so that nobody else will read what this process appends. One
   * cheap call.
   */
  isRemoved(): boolean {
    for (let segment = this.#segment; segment.isRemoved(); segment = this.#segment) {
      // Or it is an old segment that others removed after moving on to the next.
      this.readOn();
      if (this.#segment === segment) return !this.#moving;
    }
    return false;
  }

  /** Closes the file, after the current move to the next segment has finished if there is one. */
  close(): void {
    this.#isClosed = true;
    if (!this.#moving) this.#segment.close();
  }

  readonly #apply = (record: ChainRecord): void => {
    this.#options.onRecord(record);
    if (!('body' in record)) return;
    this.#version += 1;
    this.#hasEntry = true;
  };

  /** Reads on in this segment; if it has no opening record, first reads what it continues. */
  #readSegment(): void {
    const segment = this.#segment;
    segment.readOn(this.#apply);
    if (segment.scan.isOpened || segment.scan.prev !== undefined) return;
    segment.rescan(readPrevious(this.#options.host.files, this.#options, segment, this.#apply));
    segment.readOn(this.#apply);
  }

  #isFull(): boolean {
    const [max, grownTo] = [this.#options.segmentBytesMax, this.#segment.scan.offset];
    return this.#hasEntry && grownTo >= (typeof max === 'number' ? max : max(grownTo));
  }

  /** Appends and reads on; returns the record if it counts. What is in the chain decides, not what `write` returned. */
  #attempt(content: RecordContent, bytesMax = RECORD_BYTES_MAX): ChainRecord | undefined {
    const segment = this.#segment;
    const { seq, prev } = segment.scan;
    if (prev === undefined) throw new TypeError(`${segment.path} is appended to before it is known what it continues`);
    const encoded = encodeRecord({ seq: seq + 1, prev, by: this.by }, content, bytesMax);
    const failure = segment.append(encoded.bytes);
    let isOwn = false;
    segment.readOn((record) => {
      this.#apply(record);
      isOwn ||= record.hash === encoded.record.hash;
    }, encoded);
    if (failure !== undefined && segment.scan.seq === seq) throw failure;
    // After the append, so that a record that counts was in the file that everyone reads.
    if (isOwn && this.isRemoved()) throw new ChainRemoved(segment.path);
    return isOwn ? encoded.record : undefined;
  }

  /** Several appends of this process that meet a seal share one move. */
  async #moveOn(): Promise<void> {
    this.#moving ??= this.#move(this.#segment).finally(() => {
      this.#moving = undefined;
      if (this.#isClosed) this.#segment.close();
    });
    await this.#moving;
  }

  async #move(sealed: Segment): Promise<void> {
    const { host, durable, segmentsKept } = this.#options;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const next = openNext(this.#options, sealed);
      if (!next) {
        await linkNext(this.#options, { sealed, by: this.by });
        continue;
      }
      try {
        if (durable) await this.#syncDirectory();
      } catch (error) {
        next.close();
        throw error;
      }
      this.#adopt(next);
      this.#directoryIsSynced = durable;
      sweepSegments(host.files, this.#options, { last: next.first, kept: segmentsKept });
      return;
    }
    throw new WaitTimeout(`the segment after ${sealed.path} did not appear in ${TRIES_MAX} tries`, {
      hint: 'Try again; if this repeats, something else removes files there.',
    });
  }

  #adopt(next: Segment): void {
    const left = this.#segment;
    this.#segment = next;
    this.#hasEntry = false;
    this.#directoryIsSynced = false;
    if (next.first !== left.scan.seq + 1) this.#version += 1;
    left.close();
    this.#readSegment();
  }

  async #syncDirectory(): Promise<void> {
    const { host, directory } = this.#options;
    const segment = this.#segment;
    await syncDirectory(host.files, directory).catch((error: unknown) => {
      throw withPath(error, directory);
    });
    // A segment that appeared meanwhile may have a name that was not synced.
    if (this.#segment === segment) this.#directoryIsSynced = true;
  }
}
