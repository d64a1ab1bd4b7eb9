import { Conflict } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import {
  createFileSynced,
  namesIn,
  readText,
  removeIfThere,
  removeQuietly,
  renameSettled,
  stagedPath,
  syncDirectory,
} from '../host/files.ts';
import { formatTime } from '../message/format-time.ts';
import { parseMessageFileName } from '../message/layout.ts';
import { dayOfId } from '../message/message-id.ts';
import type { Refusal } from '../message/message.ts';
import type { Mailbox } from './mailbox.ts';
import { replaceJson, fieldsIn } from '../host/json-file.ts';
import { entriesOf } from './entries.ts';

const DAY_MS = 86_400_000;
const DAY = /^\d{4}-\d\d-\d\d$/;
const CLOCK_JUMP_MS_MAX = DAY_MS;

/** What `Agent.purge` deleted. */
export interface PurgeReport {
  /** The last UTC day that was ever purged, `YYYY-MM-DD`: messages sent up to its end are refused. Undefined if none was. */
  readonly through: string | undefined;
  /** How many days were deleted. */
  readonly days: number;
  /** How many messages were deleted. */
  readonly messages: number;
}

/** The last purged day, `YYYY-MM-DD`; undefined if there is none. Read again only if the file was replaced. */
export function purgedThrough({ host, layout, memory }: Mailbox): string | undefined {
  const facts = host.files.lstat(layout.purgedThrough);
  if (!facts) return undefined;
  if (memory.purged?.ino !== facts.ino || memory.purged.mtimeMs !== facts.mtimeMs) {
    const text = readText(host.files, layout.purgedThrough)?.trim();
    memory.purged = {
      ino: facts.ino,
      mtimeMs: facts.mtimeMs,
      day: text !== undefined && DAY.test(text) ? text : undefined,
    };
  }
  return memory.purged.day;
}

/** Why a message that is claimed now is refused: it is so old that nobody knows whether it was acknowledged. */
export function refusalOfPurged(mailbox: Mailbox, id: string): Refusal | undefined {
  const purged = purgedThrough(mailbox);
  const day = dayOfId(id);
  if (purged === undefined || day > purged) return undefined;
  return { reason: 'purged', detail: `it is from ${day}, and everything up to ${purged} was purged` };
}

/**
 * Deletes the days of `done` that ended more than `doneDaysKept` days ago. The day is recorded first and never goes
 * back, so that no id of a deleted day can be taken for a new message. A day with a message that still waits or is
 * claimed is not purged, nor any later one. Records of replies to messages of purged days are deleted with them. Throws
 * `Conflict` if the wall clock has jumped by more than a day.
 */
export async function purge(mailbox: Mailbox): Promise<PurgeReport> {
  const { layout, host } = mailbox;
  await assertSteadyClock(mailbox);
  const keptFrom = firstDayKept(mailbox);
  const before = purgedThrough(mailbox);
  const days = namesIn(host.files, layout.done)
    .filter((day) => DAY.test(day) && day < keptFrom)
    .sort();
  const last = days.at(-1);
  const through = last !== undefined && (before === undefined || last > before) ? last : before;
  if (through !== undefined) await raisePurgedThrough(mailbox, through);
  let messages = 0;
  for (const day of days) messages += removeDay(mailbox, `${layout.done}/${day}`);
  if (through !== undefined) {
    for (const day of answeredDays(mailbox)) if (day <= through) removeDay(mailbox, `${layout.replies}/${day}`);
    // Another purge that knew of fewer days may have written in between.
    await raisePurgedThrough(mailbox, through);
  }
  return { through, days: days.length, messages };
}

/** Records the day durably, unless it or a later day is recorded. */
async function raisePurgedThrough(mailbox: Mailbox, day: string): Promise<void> {
  const { layout, host } = mailbox;
  const { files } = host;
  const isRaised = (): boolean => (purgedThrough(mailbox) ?? '') >= day;
  if (isRaised()) return;
  const staged = stagedPath(layout.tmp, host.randomBytes);
  try {
    await createFileSynced(files, staged, Buffer.from(`${day}\n`), 0o600);
    // Checked again after all waiting, or a later day recorded meanwhile by another purge would be replaced.
    if (!isRaised()) renameSettled(files, staged, layout.purgedThrough);
    else removeQuietly(files, staged);
  } catch (error) {
    removeQuietly(files, staged);
    throw error;
  }
  await syncDirectory(files, layout.directory);
}

/** The first day to keep: within the days kept, or with mail that is not handled yet. */
function firstDayKept(mailbox: Mailbox): string {
  const { limits, host } = mailbox;
  const cutMs = host.clock.now() - (limits.doneDaysKept + 1) * DAY_MS;
  let first = new Date(cutMs + DAY_MS).toISOString().slice(0, 10);
  for (const { name } of entriesOf(mailbox)) {
    const id = parseMessageFileName(name)?.id;
    if (id !== undefined && dayOfId(id) < first) first = dayOfId(id);
  }
  return first;
}

/** The days of the messages that this actor has replied to. The directory does not exist before the first reply. */
function answeredDays({ host, layout }: Mailbox): string[] {
  return namesIn(host.files, layout.replies).filter((day) => DAY.test(day));
}

function removeDay({ host: { files }, memory }: Mailbox, directory: string): number {
  memory.doneDays.delete(directory);
  let removed = 0;
  try {
    for (const name of files.readdir(directory)) {
      if (removeIfThere(files, `${directory}/${name}`)) removed += 1;
    }
    files.rmdir(directory);
  } catch (error) {
    // Another purge was faster, or an old message that was put back is being acknowledged right now.
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTEMPTY') throw error;
  }
  return removed;
}

/**
 * Compares the progress of the wall clock and of the uptime since the mailbox was made or last purged. A mismatch is
 * recorded, so that a clock that really was corrected is accepted the next time.
 */
async function assertSteadyClock(mailbox: Mailbox): Promise<void> {
  const { clock, files, processes } = mailbox.host;
  const path = mailbox.layout.purgeClock;
  const mark = readClockMark(readText(files, path));
  const now = { bootId: processes.self().bootId, wallMs: clock.now(), uptimeMs: clock.uptimeMs() };
  await writeClockMark(mailbox);
  if (!mark) return;
  const sameBoot = mark.bootId === now.bootId && now.bootId !== '';
  const wallMs = now.wallMs - mark.wallMs;
  const jumpMs = sameBoot ? Math.abs(wallMs - (now.uptimeMs - mark.uptimeMs)) : Math.max(0, -wallMs);
  if (jumpMs <= CLOCK_JUMP_MS_MAX) return;
  throw new Conflict(
    `Nothing was purged for ${mailbox.address}: the clock has jumped by ${(jumpMs / 3_600_000).toFixed(1)} hours since it was last checked (${path}).`,
    { hint: `It says ${formatTime(now.wallMs)} now. If that is right, purge again.` },
  );
}

/** Records wall clock and uptime together, for a later purge to compare with. */
export async function writeClockMark(mailbox: Mailbox): Promise<void> {
  const { host, layout } = mailbox;
  const { clock, processes } = host;
  const value = { bootId: processes.self().bootId, wallMs: clock.now(), uptimeMs: clock.uptimeMs() };
  await replaceJson(host, { path: layout.purgeClock, value, staging: layout.tmp, durable: false });
}

interface ClockMark {
  readonly bootId: string;
  readonly wallMs: number;
  readonly uptimeMs: number;
}

/** Whether the file holds a mark that a purge can compare with. */
export function isClockMark(text: string | undefined): boolean {
  return readClockMark(text) !== undefined;
}

function readClockMark(text: string | undefined): ClockMark | undefined {
  const { bootId, wallMs, uptimeMs } = fieldsIn(text) ?? {};
  if (typeof bootId !== 'string' || typeof wallMs !== 'number' || typeof uptimeMs !== 'number') return undefined;
  return { bootId, wallMs, uptimeMs };
}
