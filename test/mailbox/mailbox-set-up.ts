import fs from 'node:fs';
import path from 'node:path';
import { alwaysGrants, type Clock, type Host } from '../../src/host/host.ts';
import type { FileSystem } from '../../src/host/file-system.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { createSharedSync } from '../../src/host/shared-sync.ts';
import { claimNew, type Claim } from '../../src/mailbox/claim.ts';
import { createMailboxDirectories } from '../../src/mailbox/create.ts';
import { deliver, type DeliveryOutcome } from '../../src/mailbox/deliver.ts';
import { createMailbox, type Durability, type Mailbox, type MailboxEvent } from '../../src/mailbox/mailbox.ts';
import { createSendOrder } from '../../src/mailbox/send-order.ts';
import { actorLayout, claimFileName, roomLayout } from '../../src/message/layout.ts';
import { dayOfId, timeOfId } from '../../src/message/message-id.ts';
import { DEFAULT_LIMITS, type RoomLimits } from '../../src/room/limits.ts';
import { openKeyring } from '../../src/signing/keyring.ts';
import { createOpener, sealMessage, type SealedMessage } from '../../src/signing/seal.ts';
import { unsyncedFiles } from '../faults/fault-sweep.ts';

export const START_MS = Date.UTC(2026, 5, 15, 12);
const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;
export const LEASE_MS = 10 * MINUTE_MS;
const ROOM_ID = 'room-of-tests';

/** A clock that only the test moves: as time passes, or as if somebody set the wall clock. */
class MovableClock implements Clock {
  #nowMs = START_MS;
  #uptimeMs = 1_000_000;

  now(): number {
    return this.#nowMs;
  }
  uptimeMs(): number {
    return this.#uptimeMs;
  }
  pass(durationMs: number): void {
    this.#nowMs += durationMs;
    this.#uptimeMs += durationMs;
  }
  jump(durationMs: number): void {
    this.#nowMs += durationMs;
  }
  async sleep(): Promise<void> {
    throw new Error('nothing in a mailbox waits for time to pass');
  }
}

export interface Letter {
  readonly content?: string;
  readonly from?: string;
  readonly id?: string;
  readonly expiresAtMs?: number;
}

/** Bob's mailbox in a directory of its own. */
export class MailboxSetUp {
  readonly clock = new MovableClock();
  readonly mailbox: Mailbox;
  /** The events that `mailbox` observed, in order. */
  readonly events: MailboxEvent[] = [];
  readonly #directory: string;
  readonly #limits: RoomLimits;
  readonly #keyring;
  #letters = 0;

  private constructor(directory: string, limits: Partial<RoomLimits>) {
    this.#directory = directory;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    const layout = roomLayout(directory);
    fs.mkdirSync(layout.keys, { recursive: true });
    fs.writeFileSync(layout.roomKey, 'ab'.repeat(32));
    this.#keyring = openKeyring({ host: nodeHost, layout, roomId: ROOM_ID, algorithm: 'hmac-sha256' });
    this.mailbox = this.seenBy({ events: this.events });
  }

  static async in(directory: string, limits: Partial<RoomLimits> = {}): Promise<MailboxSetUp> {
    const setUp = new MailboxSetUp(directory, limits);
    fs.mkdirSync(path.dirname(setUp.mailbox.layout.directory), { recursive: true });
    await createMailboxDirectories(setUp.mailbox.host, setUp.mailbox.layout);
    return setUp;
  }

  /** The same mailbox as another process sees it: with empty caches and, if given, on other files. */
  seenBy({ files = unsyncedFiles, events = [] }: { files?: FileSystem; events?: MailboxEvent[] } = {}): Mailbox {
    const host: Host = { ...nodeHost, files, clock: this.clock, lock: alwaysGrants };
    const limits = this.#limits;
    return createMailbox({
      address: 'bob',
      layout: actorLayout(roomLayout(this.#directory), 'bob').mailbox,
      host,
      limits,
      opener: createOpener({ roomId: ROOM_ID, reader: 'bob', keyring: this.#keyring }),
      sharedSync: createSharedSync(files),
      room: { assertSame: () => {}, reread: () => {} },
      observe: (event) => events.push(event),
    });
  }

  /** A message to bob. Default: from alice and of now, each a little later than the one before. */
  letter({ content = 'hello', from = 'alice', id, expiresAtMs }: Letter = {}): SealedMessage {
    this.#letters += 1;
    const ownId = id ?? idAt(this.clock.now(), this.#letters);
    const message = {
      id: ownId,
      room: ROOM_ID,
      from,
      to: ['bob'],
      type: 'INFO',
      sentAt: new Date(timeOfId(ownId)).toISOString(),
      content,
      ...(expiresAtMs === undefined ? {} : { expiresAt: new Date(expiresAtMs).toISOString() }),
    };
    return sealMessage(message, { key: this.#keyring.signerOf(from), limits: this.#limits });
  }

  async deliver(
    sealed: SealedMessage,
    options: { mailbox?: Mailbox; repeat?: boolean; durability?: Durability } = {},
  ): Promise<DeliveryOutcome> {
    const { mailbox = this.mailbox, repeat = false, durability = 'process' } = options;
    const slot = createSendOrder()();
    const [outcome] = await deliver([mailbox], sealed, { durability, repeat, slot });
    if (!outcome) throw new Error('no outcome');
    return outcome;
  }

  /** Delivers and claims a message. */
  async claimed(letter: Letter = {}): Promise<Claim> {
    const sealed = this.letter(letter);
    await this.deliver(sealed);
    const claim = claimNew(this.mailbox, { name: sealed.name, leaseMs: LEASE_MS });
    if (!claim) throw new Error('the message was not claimed');
    return claim;
  }

  /** Puts the file where another process would have moved it. */
  lay(
    sealed: SealedMessage,
    where: { new: true } | { cur: readonly [attempt: number, untilMs: number] } | { done: true },
  ): void {
    const { layout } = this.mailbox;
    const file = (): string => {
      if ('new' in where) return `${layout.new}/${sealed.name}`;
      if ('done' in where) return `${layout.done}/${dayOfId(sealed.message.id)}/${sealed.name}`;
      const [attempt, untilMs] = where.cur;
      return `${layout.cur}/${claimFileName({ name: sealed.name, attempt, untilMs })}`;
    };
    fs.mkdirSync(path.dirname(file()), { recursive: true });
    fs.writeFileSync(file(), sealed.bytes, { mode: 0o400 });
  }

  /** The names in one directory of the mailbox, sorted. */
  names(directory: 'tmp' | 'new' | 'cur' | 'done' | 'dead' | 'refused', day?: string): string[] {
    const { layout } = this.mailbox;
    const at = day === undefined ? layout[directory] : `${layout[directory]}/${day}`;
    return fs.existsSync(at) ? fs.readdirSync(at).sort() : [];
  }

  /** The reason of each file in `dead/refused`. */
  refusals(): string[] {
    const { refused } = this.mailbox.layout;
    const reasons = this.names('refused').filter((name) => name.endsWith('.why.json'));
    return reasons.map((name) => {
      const why = JSON.parse(fs.readFileSync(`${refused}/${name}`, 'utf8')) as { reason: string };
      return why.reason;
    });
  }
}

/** A UUIDv7 of a time in ms; those of one ms are in the order of `n`. */
export function idAt(timeMs: number, n = 0): string {
  const time = timeMs.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${n.toString(16).padStart(12, '0')}`;
}
