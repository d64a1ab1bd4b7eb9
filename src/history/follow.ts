import { ChainReader } from '../chain/chain-reader.ts';
import { RoomRefused, UPDATE_HINT } from '../errors.ts';
import { listAddresses, type RoomContext } from '../room/context.ts';
import { type WorkflowEntry, type JournalEntry, journalPlace } from '../journal/read.ts';
import { isKnownFormat, JOURNAL_VERSION, type JournalBody } from '../journal/record.ts';

export interface FollowOptions {
  /** Follow these workflows and all their descendants, also if they do not exist yet. Default: every workflow of the room. */
  readonly addresses?: readonly string[] | undefined;
  /** Called when a journal cannot be read further; it is skipped from then on. */
  readonly onFault: (address: string, error: unknown) => void;
}

interface Followed {
  readonly address: string;
  readonly reader: ChainReader;
  /** Records that are read and not yielded yet: at most one segment. */
  readonly waiting: JournalEntry[];
  mayHaveMore: boolean;
}

/**
 * The records of several journals: the first `read` yields all, each later one what is new since then. A read costs only what is
 * new, and keeps one open file for each journal until `close`.
 */
export class JournalFollower {
  readonly #context: RoomContext;
  readonly #options: FollowOptions;
  readonly #followed = new Map<string, Followed>();
  readonly #faulty = new Set<string>();

  constructor(context: RoomContext, options: FollowOptions) {
    this.#context = context;
    this.#options = options;
    for (const address of options.addresses ?? []) this.#follow(address);
  }

  /**
   * Yields everything new, by time, and within a journal in its own order. A child is followed as soon as a record says that it
   * was started, so that its records are sorted in among the others.
   */
  *read(): Generator<WorkflowEntry, void, void> {
    if (!this.#options.addresses) for (const address of listAddresses(this.#context)) this.#follow(address);
    for (const followed of this.#followed.values()) followed.mayHaveMore = true;
    for (let next = this.#earliest(); next; next = this.#earliest()) {
      const entry = next.waiting.shift();
      if (!entry) return;
      if ('commit' in entry) {
        for (const call of Object.values(entry.commit.state.calls)) {
          if (call.kind === 'machine') this.#follow(call.address);
        }
      }
      yield { address: next.address, entry };
    }
  }

  close(): void {
    for (const { reader } of this.#followed.values()) reader.close();
    this.#followed.clear();
  }

  #follow(address: string): void {
    if (this.#followed.has(address) || this.#faulty.has(address)) return;
    const { host, layout } = this.#context;
    const reader = new ChainReader(host.files, journalPlace(layout, address));
    this.#followed.set(address, { address, reader, waiting: [], mayHaveMore: true });
  }

  /** The journal whose next record is the oldest; among equal times, the first by address. */
  #earliest(): Followed | undefined {
    let earliest: Followed | undefined;
    let at = Infinity;
    for (const followed of this.#followed.values()) {
      this.#fill(followed);
      const [entry] = followed.waiting;
      if (!entry) continue;
      const own = timeOf(entry);
      if (own > at || (own === at && earliest && earliest.address < followed.address)) continue;
      earliest = followed;
      at = own;
    }
    return earliest;
  }

  #fill(followed: Followed): void {
    while (followed.waiting.length === 0 && followed.mayHaveMore) {
      try {
        followed.mayHaveMore = followed.reader.readOn((record) => {
          if (!('body' in record)) return;
          const body = record.body as JournalBody;
          assertKnown(body, followed.address);
          followed.waiting.push({ seq: record.seq, ...body });
        });
      } catch (error) {
        followed.mayHaveMore = false;
        this.#faulty.add(followed.address);
        followed.reader.close();
        this.#followed.delete(followed.address);
        this.#options.onFault(followed.address, error);
      }
    }
  }
}

function timeOf(entry: JournalEntry): number {
  if ('open' in entry) return entry.open.at;
  if ('commit' in entry) return entry.commit.at;
  if ('failed' in entry) return entry.failed.at;
  return 'note' in entry ? entry.note.at : entry.performed.at;
}

function assertKnown(body: JournalBody, address: string): void {
  if (!('open' in body) || isKnownFormat(body.open.v)) return;
  throw new RoomRefused(
    `The journal of ${address} has format ${body.open.v}; this Mailroom knows ${JOURNAL_VERSION}.`,
    { hint: UPDATE_HINT },
  );
}
