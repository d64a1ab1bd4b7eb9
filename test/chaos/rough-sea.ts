import fs from 'node:fs';
import path from 'node:path';
import { initRoom, openRoom } from '../../src/index.ts';
import { Fleet, type Ship } from './fleet.ts';
import { actedIn, confirmedOf, countConfirmed, writePlan, type Acted, type Plan, type Planned } from './plans.ts';
import { amount } from '../run/amount.ts';
import { createRandom } from '../run/seed.ts';

const random = createRandom();

export interface Sea {
  readonly directory: string;
  readonly messagesPerSender: number;
  readonly kills: number;
  readonly stops: number;
  readonly durability: 'power' | 'process';
  readonly lock: 'proper-lockfile' | 'always-grants';
}

export interface Voyage {
  readonly planned: readonly Planned[];
  readonly confirmed: readonly Planned[];
  readonly acted: readonly Acted[];
  /** What lies in `new` and `cur` at the end, and in `dead`, as `<mailbox>/<place>/<name>`. */
  readonly waiting: readonly string[];
  readonly dead: readonly string[];
  readonly done: readonly string[];
  readonly kills: number;
  readonly stops: number;
  readonly failures: readonly string[];
}

export const SENDERS = amount(4, { long: 8 });
const MAILBOXES = namesOf('inbox', amount(2, { long: 4 }));
/** Two processes send under each address, and share its counter. */
const ADDRESSES = namesOf('sender', SENDERS / 2);
/** Short, so that what a killed reader held returns soon, and a stopped one finds its lease taken over. */
const LEASE_MS = 1_000;
const POLL_MS = 250;
const STOP_MS_MAX = 3 * LEASE_MS;
/** Far more than any machine needs; only a hang ends here. */
const WATCHDOG_MS = 150_000;

/**
 * Processes send their plans to mailboxes, as many processes as there are mailboxes read them, two at each, and all of them are
 * killed and stopped at random. Then the storm is over: everybody but one sender finishes, the mailboxes run empty, and
 * the readers are asked to end.
 */
export async function sail(sea: Sea): Promise<Voyage> {
  const { directory, durability, lock } = sea;
  const room = path.join(directory, '.mailroom');
  const limits = { rateLimit: 50_000, attemptsMax: 100 };
  await initRoom({ cwd: directory, limits });
  const opened = await openRoom({ cwd: directory });
  for (const address of [...ADDRESSES, ...MAILBOXES]) await opened.join(address);
  await opened.close();

  const endMs = Date.now() + WATCHDOG_MS;
  const fleet = new Fleet();
  try {
    const plans = Array.from({ length: SENDERS }, (_, sender) =>
      writePlan({ directory, sender, mailboxes: MAILBOXES, messages: sea.messagesPerSender }),
    );
    const senders = plans.map(({ planFile, confirmedFile }, sender) =>
      fleet.launch(`sender ${sender}`, 'sender.mjs', {
        room,
        sender,
        address: ADDRESSES[sender % ADDRESSES.length],
        plan: planFile,
        confirmed: confirmedFile,
        durability,
        lock,
      }),
    );
    const actedFiles = MAILBOXES.map((_, reader) => path.join(directory, `acted-${reader}`));
    const readers = actedFiles.map((acted, reader) => {
      const mailboxes = [MAILBOXES[reader], MAILBOXES[(reader + 1) % MAILBOXES.length]];
      const options = { room, mailboxes, acted, leaseMs: LEASE_MS, pollMs: POLL_MS, lock };
      return fleet.launch(`reader ${reader}`, 'reader.mjs', options);
    });
    await storm({ sea, fleet, plans, senders, endMs });
    await until('every sender has finished its plan', endMs, () => senders.every(({ isOver }) => isOver));
    await until('the mailboxes are empty', endMs, () => listIn(room, ['new', 'cur']).length === 0);
    for (const reader of readers) await fleet.end(reader);
    return {
      planned: plans.flatMap(({ planned }) => planned),
      confirmed: plans.flatMap(confirmedOf),
      acted: actedFiles.flatMap(actedIn),
      waiting: listIn(room, ['new', 'cur']),
      dead: listIn(room, ['dead', 'dead/refused']).filter((file) => !file.endsWith('dead/refused')),
      done: MAILBOXES.flatMap((mailbox) => listDone(room, mailbox)),
      kills: fleet.kills,
      stops: fleet.stops,
      failures: fleet.failures,
    };
  } finally {
    await fleet.sink();
  }
}

function namesOf(kind: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${kind}-${index + 1}`);
}

/** Each event waits until the senders have got on a little, so that all of them fall into the sending. */
async function storm(options: {
  sea: Sea;
  fleet: Fleet;
  plans: readonly Plan[];
  senders: readonly Ship[];
  endMs: number;
}): Promise<void> {
  const { sea, fleet, plans, senders, endMs } = options;
  const confirmed = (): number => plans.reduce((sum, plan) => sum + countConfirmed(plan), 0);
  const step = (sea.messagesPerSender * SENDERS) / (sea.kills + sea.stops + 2);
  const stopped: Promise<void>[] = [];
  for (let event = 1; event <= sea.kills + sea.stops; event++) {
    await until('the senders get on', endMs, () => confirmed() >= event * step || senders.every((one) => one.isOver));
    const ship = fleet.afloat[Math.floor(random() * fleet.afloat.length)];
    if (!ship) break;
    const isKill =
      fleet.stops >= sea.stops || (fleet.kills < sea.kills && random() < sea.kills / (sea.kills + sea.stops));
    if (isKill) await fleet.kill(ship);
    else stopped.push(fleet.stopUntil(ship, sleep(random() * STOP_MS_MAX)));
  }
  // The last kill is for good: of what that sender had not confirmed, each message may or may not have arrived.
  const last = senders.find(({ isOver }) => !isOver);
  if (last) await fleet.kill(last, { forGood: true });
  await Promise.all(stopped);
}

function listIn(room: string, places: readonly string[]): string[] {
  return MAILBOXES.flatMap((mailbox) =>
    places.flatMap((place) =>
      fs.readdirSync(path.join(room, 'actors', mailbox, 'mailbox', place)).map((name) => `${mailbox}/${place}/${name}`),
    ),
  );
}

function listDone(room: string, mailbox: string): string[] {
  const done = path.join(room, 'actors', mailbox, 'mailbox', 'done');
  return fs
    .readdirSync(done)
    .flatMap((day) => fs.readdirSync(path.join(done, day)).map((name) => `${mailbox}/${name}`));
}

async function until(what: string, endMs: number, condition: () => boolean): Promise<void> {
  while (!condition()) {
    if (Date.now() > endMs) throw new Error(`the watchdog ended it: never happened: ${what}`);
    await sleep(10);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
