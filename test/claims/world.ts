import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { initRoom, openRoom } from '../../src/index.ts';
import { nodeHost } from '../../src/runtime.ts';
import type { Claim } from '../../src/mailbox/claim.ts';
import { createMailbox, type Mailbox } from '../../src/mailbox/mailbox.ts';
import { actorLayout, roomLayout, type MailboxLayout } from '../../src/message/layout.ts';
import { createIdSource } from '../../src/message/message-id.ts';
import { DEFAULT_LIMITS } from '../../src/room/limits.ts';
import { openKeyring, type Keyring } from '../../src/signing/keyring.ts';
import { createOpener, sealMessage, type SealedMessage } from '../../src/signing/seal.ts';
import { createSharedSync } from '../../src/host/shared-sync.ts';
import { Copies } from './copies.ts';

import { stepFiles, type SteppedFiles } from './stepped-files.ts';

const READER = 'reader';
const SENDER = 'sender';
const SEVERAL = 4;
const ROOM_ID_OF_TESTS = '0123456789abcdef';

/** One process as the mailbox sees it: objects of its own over the shared directory and the shared clock. */
export interface Actor {
  readonly name: string;
  readonly mailbox: Mailbox;
  readonly stepped: SteppedFiles;
  readonly leaseMs: number;
  /** The claim it believes it holds, and acts on. */
  held: Claim | undefined;
  /** The content that its next link delivers. */
  sending: string;
}

export interface WorldClock {
  nowMs: number;
  /**
   * Every reading is 1 ms later than the previous one. Otherwise two actors may choose the same end of a lease; only
   * then can a rename replace another claim, if it falls between the other's check for a free name and its rename.
   */
  isTicking: boolean;
}

/** One mailbox on a real disk, and the actors that work on it. */
export interface World {
  readonly layout: MailboxLayout;
  readonly copies: Copies;
  readonly clock: WorldClock;
  actor(name: string, leaseMs: number): Actor;
  readonly messages: Messages;
  /** Messages with ids of their own. */
  readonly several: readonly SealedMessage[];
  /** Puts a file where a delivered message is, as another process would have. */
  put(file: string, bytes: Uint8Array, content: string): void;
  /** The actual content of the mailbox, in the form of `copies.list()`; contents by their bytes. */
  listDisk(contentOf: (bytes: Buffer) => string): string[];
  clear(): void;
  remove(): void;
}

export async function createWorld(): Promise<World> {
  const root = fs.mkdtempSync(path.join(memoryDirectory(), 'mailroom-claims-'));
  await initRoom({ cwd: root });
  const room = await openRoom({ cwd: root });
  await room.join(READER);
  await room.join(SENDER);
  await room.close();
  const roomFiles = roomLayout(path.join(root, '.mailroom'));
  const layout = actorLayout(roomFiles, READER).mailbox;
  const keyring = openKeyring({
    host: nodeHost,
    layout: roomFiles,
    roomId: ROOM_ID_OF_TESTS,
    algorithm: 'hmac-sha256',
  });
  const startMs = Date.now();
  const clock: WorldClock = { nowMs: startMs, isTicking: false };
  const limits = DEFAULT_LIMITS;
  const copies = new Copies({
    directory: layout.directory,
    now: () => clock.nowMs,
    attemptsMax: limits.attemptsMax,
  });
  const ids = createIdSource(nodeHost.randomBytes);
  const id = ids.next(startMs);
  return {
    layout,
    copies,
    clock,
    messages: { first: seal(keyring, { content: 'first', id }), second: seal(keyring, { content: 'second', id }) },
    actor: (name, leaseMs) => createActor({ name, leaseMs, layout, copies, clock, keyring }),
    several: Array.from({ length: SEVERAL }, (_, n) => seal(keyring, { content: `${n}`, id: ids.next(startMs) })),
    put: (file, bytes, content) => {
      const at = path.join(layout.directory, file);
      fs.mkdirSync(path.dirname(at), { recursive: true });
      fs.writeFileSync(at, bytes);
      copies.created(at, content);
    },
    listDisk: (contentOf) =>
      copiesOn(layout).map((file) => `${file} ${contentOf(fs.readFileSync(path.join(layout.directory, file)))}`),
    clear: () => {
      for (const directory of [layout.tmp, layout.new, layout.cur, layout.dead, layout.refused]) empty(directory);
      for (const day of fs.readdirSync(layout.done)) empty(path.join(layout.done, day));
      clock.nowMs = startMs;
      copies.clear();
    },
    remove: () => fs.rmSync(root, { recursive: true, force: true }),
  };
}

/** A file system in memory if there is one: tens of thousands of mailboxes are laid out and cleared here. */
function memoryDirectory(): string {
  const shared = '/dev/shm';
  return fs.existsSync(shared) ? shared : os.tmpdir();
}

function createActor(parts: {
  name: string;
  leaseMs: number;
  layout: MailboxLayout;
  copies: Copies;
  clock: WorldClock;
  keyring: Keyring;
}): Actor {
  const { name, leaseMs, layout, copies, clock, keyring } = parts;
  const now = (): number => {
    if (clock.isTicking) clock.nowMs += 1;
    return clock.nowMs;
  };
  const stepped: SteppedFiles = stepFiles({
    files: nodeHost.files,
    copies,
    by: name,
    sending: () => actor.sending,
  });
  const host = { ...nodeHost, files: stepped.files, clock: { ...nodeHost.clock, now } };
  const limits = DEFAULT_LIMITS;
  const mailbox = createMailbox({
    address: READER,
    layout,
    host,
    limits,
    opener: createOpener({ roomId: ROOM_ID_OF_TESTS, reader: READER, keyring }),
    sharedSync: createSharedSync(stepped.files),
    room: { assertSame: () => {}, reread: () => {} },
    observe: () => {},
  });
  const actor: Actor = { name, mailbox, stepped, leaseMs, held: undefined, sending: '' };
  return actor;
}

function seal(keyring: Keyring, { content, id }: { content: string; id: string }): SealedMessage {
  const timeMs = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  const message = {
    id,
    room: ROOM_ID_OF_TESTS,
    from: SENDER,
    to: [READER],
    type: 'INFO',
    sentAt: new Date(timeMs).toISOString(),
    content,
  };
  return sealMessage(message, { key: keyring.signerOf(SENDER), limits: DEFAULT_LIMITS });
}

function empty(directory: string): void {
  for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
    if (entry.isFile()) fs.unlinkSync(path.join(directory, entry.name));
  }
}

/** Every copy of a message in the mailbox, by relative path. */
function copiesOn({ directory, done }: MailboxLayout): string[] {
  const days = fs.readdirSync(done).map((day) => `done/${day}`);
  const found = ['new', 'cur', ...days, 'dead', 'dead/refused'].flatMap((place) =>
    fs.readdirSync(path.join(directory, place)).map((name) => `${place}/${name}`),
  );
  return found.filter((file) => file !== 'dead/refused' && !file.endsWith('.why.json')).sort();
}

/** Two messages under one id: a sender must not do this, and it must do no harm. */
export interface Messages {
  readonly first: SealedMessage;
  readonly second: SealedMessage;
}
