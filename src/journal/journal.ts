import { ChainFile } from '../chain/chain-file.ts';
import { RECORD_BYTES_MAX, RecordTooLarge } from '../chain/record.ts';
import { ChainDamaged, Conflict, Fenced, isRoomLost } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { allOrThrow, ensureDirectory, syncDirectory } from '../host/files.ts';
import type { Clock } from '../host/host.ts';
import type { Durability } from '../mailbox/mailbox.ts';
import { actorLayout } from '../message/layout.ts';
import type { RoomContext } from '../room/context.ts';
import { JournalFold } from './fold.ts';
import { isHostThere, runByAnother } from './host-there.ts';
import { journalPlace } from './read.ts';
import { formatOf, type JournalBody, type MachineRef } from './record.ts';

const OPEN_TRIES_MAX = 64;
/** How often a host that appends nothing checks whether it still owns the journal. */
const OWNER_LOOK_MS = 2_000;

export interface JournalOptions {
  readonly durability: Durability;
  readonly machine: MachineRef;
  /** Open the journal even if a live host has it; that host is fenced at its next record. */
  readonly takeOver: boolean;
  /** When the workflow last showed a sign of life, in ms since the epoch, before this process gave one. */
  readonly seenMs: number | undefined;
}

/**
 * The journal of a workflow that this process runs. Guarantee: of all processes that have opened it, only the records of the last
 * one count from then on. Every other process learns of its fencing from its next append, or from its next `lookForOwner`.
 */
export class Journal {
  readonly address: string;
  readonly fold: JournalFold;
  /** Whether the previous host did not close cleanly, so that the next message may be what killed it. */
  readonly isUnclean: boolean;
  readonly #chain: ChainFile;
  readonly #clock: Clock;
  readonly #durability: Durability;
  #lookedAtMs: number;
  #isBroken = false;

  private constructor(parts: {
    address: string;
    fold: JournalFold;
    chain: ChainFile;
    clock: Clock;
    durability: Durability;
    isUnclean: boolean;
  }) {
    this.address = parts.address;
    this.fold = parts.fold;
    this.isUnclean = parts.isUnclean;
    this.#chain = parts.chain;
    this.#clock = parts.clock;
    this.#lookedAtMs = parts.clock.now();
    this.#durability = parts.durability;
  }

  /**
   * Takes the workflow: reads its journal and appends an `open` record, which fences every other host. Throws Conflict if a live
   * host has it, ChainDamaged, RoomRefused for a newer format, and errors of the file system.
   */
  static async open(context: RoomContext, address: string, options: JournalOptions): Promise<Journal> {
    const { host, layout } = context;
    const place = journalPlace(layout, address);
    ensureDirectory(host.files, place.directory);
    const fold = new JournalFold(place.directory);
    const chain = new ChainFile({
      host,
      ...place,
      segmentBytesMax: segmentSize(fold),
      durable: options.durability === 'power',
      onRecord: (record) => fold.apply(record),
      carry: () => fold.carry(),
    });
    try {
      const isUnclean = await takeChain(context, { address, chain, fold, options });
      const journal = new Journal({
        address,
        fold,
        chain,
        clock: host.clock,
        durability: options.durability,
        isUnclean,
      });
      const { directory } = actorLayout(layout, address);
      // Also if the journal existed: the process that made it may have died before it synced the directory.
      const made = options.durability === 'power' ? [syncDirectory(host.files, directory)] : [];
      await allOrThrow([journal.sync(), ...made]);
      return journal;
    } catch (error) {
      chain.close();
      throw error;
    }
  }

  /** Appends a record. Throws Fenced when another host has taken the workflow, RecordTooLarge, and errors of the file system. */
  async append(body: JournalBody, bytesMax?: number): Promise<number> {
    if (this.fold.openedBy !== this.#chain.by) throw this.#fenced();
    const appended = await this.#chain.append(body, bytesMax);
    if (!appended.won) throw this.#fenced();
    return appended.record.seq;
  }

  /** Reads what others appended. Throws Fenced unless this host still has the workflow, and errors of the file system. */
  assertOwner(): void {
    this.#lookedAtMs = this.#clock.now();
    this.#chain.readOn();
    if (this.fold.openedBy !== this.#chain.by) throw this.#fenced();
  }

  /** The same, if the last check is a while ago: a host that was suspended during a takeover may have nothing to append. */
  lookForOwner(): void {
    const sinceMs = this.#clock.now() - this.#lookedAtMs;
    if (sinceMs >= OWNER_LOOK_MS || sinceMs < 0) this.assertOwner();
  }

  /** In `power` durability, waits until all appended records are on the disk. */
  async sync(): Promise<void> {
    if (this.#durability !== 'power') return;
    try {
      await this.#chain.sync();
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
  }

  /**
   * Whether a retry makes sense after this error. Not after a failed sync, damage or the loss of the room, because nothing can be
   * appended then; and not for a record that is too large.
   */
  canGoOn(error: unknown): boolean {
    if (error instanceof RecordTooLarge || isRoomLost(error)) return false;
    return !this.#isBroken && !(error instanceof ChainDamaged) && errnoOf(error) !== undefined;
  }

  close(): void {
    this.#chain.close();
  }

  #fenced(): Fenced {
    const { pid } = this.fold.open?.process ?? { pid: 0 };
    return new Fenced(
      `The workflow ${this.address} was taken over by another host (process ${pid}); this one has released it.`,
      {
        hint: `See where it runs now: mailroom workflows`,
      },
    );
  }
}

/** Appends the `open` record, retrying while others write. Returns whether the previous host did not close cleanly. */
async function takeChain(
  context: RoomContext,
  { address, chain, fold, options }: { address: string; chain: ChainFile; fold: JournalFold; options: JournalOptions },
): Promise<boolean> {
  const { processes, clock } = context.host;
  for (let tries = 0; tries < OPEN_TRIES_MAX; tries++) {
    const { open, isClosed } = fold;
    if (open && !isClosed && !options.takeOver && isHostThere(context, open, options.seenMs)) {
      throw runByAnother(context, address, open);
    }
    const body: JournalBody = {
      open: { v: formatOf(fold.state), at: clock.now(), process: processes.self(), machine: options.machine },
    };
    const { won } = await chain.append(body);
    if (won) return open !== undefined && !isClosed;
  }
  throw new Conflict(`Several hosts are taking the workflow ${address} at the same time.`, {
    hint: 'Start only one of them again.',
  });
}

/** Small, so that opening costs the same after ten thousand steps as after a hundred. */
const SEGMENT_BYTES_MAX = 128 * 1024;
/** A segment grows to at least this many times its carried state, so that carrying is a small part of all that is written. */
const CARRIED_TIMES_MIN = 4;
/** With more outstanding steps and messages than this, a segment does not end yet, so that less has to be carried over. */
const OUTSTANDING_MAX = 8;
/** Meanwhile it may grow to this many times its size. */
const WAITING_TIMES_MAX = 4;
/** The carried state is one record; the rest of it is for the head of the record. */
const CARRIED_BYTES_MAX = RECORD_BYTES_MAX - 4 * 1024;
/** If the carried state fits into no record, it is measured again after the segment has grown by this part of it. */
const LOOKS_PER_CARRIED = 4;

/**
 * The size at which a segment of the journal ends, given its current size. A segment whose backlog fits into no record does not
 * end: only a segment that carries the whole backlog can follow, so the workflow could never be opened again.
 */
export function segmentSize(fold: JournalFold): (grownTo: number) => number {
  let looksAgainAt = 0;
  return (grownTo) => {
    const most = Math.max(SEGMENT_BYTES_MAX, CARRIED_TIMES_MIN * fold.carriedBytes);
    const outstanding = fold.unperformed.length + fold.undelivered.size;
    const endsAt = outstanding > OUTSTANDING_MAX ? WAITING_TIMES_MAX * most : most;
    if (grownTo < endsAt) return endsAt;
    if (grownTo < looksAgainAt) return looksAgainAt;
    const carriedBytes = Buffer.byteLength(JSON.stringify(fold.carry()));
    looksAgainAt = carriedBytes > CARRIED_BYTES_MAX ? grownTo + carriedBytes / LOOKS_PER_CARRIED : 0;
    return Math.max(endsAt, looksAgainAt);
  };
}
