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
/** How long a host that appends nothing goes without looking whether it is still the one. */
const OWNER_LOOK_MS = 2_000;

export interface JournalOptions {
  readonly durability: Durability;
  readonly machine: MachineRef;
  /** Open it although a live host has it; that one is fenced at its next record. */
  readonly takeOver: boolean;
  /** When the workflow was last seen, ms since the epoch, before this process gave a sign of it. */
  readonly seenMs: number | undefined;
}

/**
 * The journal of a workflow that this process runs. Guarantee: of all processes that have opened it, only the last one's
 * records count from then on, and each learns from its next append which it is, or from its next look.
 */
export class Journal {
  readonly address: string;
  readonly fold: JournalFold;
  /** Whether the host before did not leave in good order, so that the next message may be what killed it. */
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
   * Takes the workflow: reads its journal and appends an `open` record, which fences every other host. Throws Conflict when a
   * live host has it, ChainDamaged, RoomRefused for a newer format, and errors of the file system.
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
      // Also of one that was there: whoever made it need not have come to this.
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

  /** Throws Fenced unless this host still has the workflow, by a look at what others appended; and errors of the file system. */
  assertOwner(): void {
    this.#lookedAtMs = this.#clock.now();
    this.#chain.readOn();
    if (this.fold.openedBy !== this.#chain.by) throw this.#fenced();
  }

  /** The same where the last look is a while ago: a host that was stopped while another one took over has nothing to append. */
  lookForOwner(): void {
    const sinceMs = this.#clock.now() - this.#lookedAtMs;
    if (sinceMs >= OWNER_LOOK_MS || sinceMs < 0) this.assertOwner();
  }

  /** In `power` durability, waits until all that was appended is on the disk. */
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
   * Whether to try again after this error: after a failed sync, after damage and without the room nothing can be appended, and
   * no record gets smaller.
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
      `The workflow ${this.address} was taken over by another host (process ${pid}); this one has left it.`,
      {
        hint: `See how it goes on: mailroom workflows`,
      },
    );
  }
}

/** Appends the `open` record, again and again as long as others write; returns whether the host before left no good order. */
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
  throw new Conflict(`The workflow ${address} is being taken by several hosts at once.`, {
    hint: 'Start one of them again.',
  });
}

/** Small, so that opening costs the same after ten thousand steps as after a hundred. */
const SEGMENT_BYTES_MAX = 128 * 1024;
/** A segment is this many times what it carried over, so that carrying costs a small part of all that is written. */
const CARRIED_TIMES_MIN = 4;
/** While more than this is outstanding, steps and messages, a segment waits for a moment when less is carried over. */
const OUTSTANDING_MAX = 8;
/** It may grow to so many times its size meanwhile. */
const WAITING_TIMES_MAX = 4;
/** What is carried over is one record; this is left of it for its head. */
const CARRIED_BYTES_MAX = RECORD_BYTES_MAX - 4 * 1024;
/** Where the next record cannot hold it, a look at how much it is waits until the segment has grown by such a part of it. */
const LOOKS_PER_CARRIED = 4;

/**
 * The size at which a segment of the journal ends, by what it has grown to. One whose backlog fits into no record goes on: a
 * segment that has ended can only be followed by one that carries all of it over, so the workflow could never be opened again.
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
