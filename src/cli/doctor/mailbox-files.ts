import { ensureDirectory, namesIn, readText } from '../../host/files.ts';
import { quote } from '../../host/shell-word.ts';
import { isClockMark, purgedThrough, writeClockMark } from '../../mailbox/purge.ts';
import { actorLayout, type MailboxLayout } from '../../message/layout.ts';
import { readCard } from '../../room/card.ts';
import { listAddresses, mailboxOf, type RoomContext } from '../../room/context.ts';
import { isReplyRecord } from '../../room/reply-record.ts';
import { ALL_OF_OWNER, always, READABLE, restore, type DurableFile, type Place } from './durable-file.ts';

const DAY_MS = 86_400_000;

/** What a mailbox holds besides its messages; `new` comes last, because its existence promises that the others exist. */
export const MAILBOX_FILES: readonly DurableFile[] = [
  directory('', ({ directory: path }) => path),
  directory('tmp/', ({ tmp }) => tmp),
  directory('cur/', ({ cur }) => cur),
  directory('done/', ({ done }) => done),
  {
    name: 'actors/<address>/mailbox/done/<day>/',
    kind: 'directory',
    mode: ALL_OF_OWNER,
    places: (context) => placesOf(context, ({ done }) => pathsBelow(context, done)),
    isReplaceable: always,
    hint: restore,
  },
  directory('dead/', ({ dead }) => dead),
  directory('dead/refused/', ({ refused }) => refused),
  directory('new/', ({ new: path }) => path),
  ...['', '<day>/'].map((day): DurableFile => ({
    name: `actors/<address>/mailbox/replies/${day}`,
    kind: 'directory',
    mode: ALL_OF_OWNER,
    places: (context) => placesOf(context, ({ replies }) => (day === '' ? [replies] : pathsBelow(context, replies))),
    isReplaceable: always,
    hint: restore,
  })),
  {
    name: 'actors/<address>/mailbox/replies/<day>/<name>.<hash>.json',
    kind: 'file',
    mode: READABLE,
    places: (context) =>
      placesOf(context, ({ replies }) => pathsBelow(context, replies).flatMap((day) => pathsBelow(context, day))),
    fault: (context, { path, address = '' }) => {
      const mailbox = mailboxOf(context, address);
      if (!mailbox || isReplyRecord(context, { mailbox, path })) return undefined;
      return `is not a record signed by ${address}, so repeating its reply sends it again`;
    },
    // Sending the reply again also replaces it.
    isReplaceable: always,
    hint: restore,
  },
  {
    name: 'actors/<address>/mailbox/purged-through',
    kind: 'file',
    mode: READABLE,
    places: (context) => placesOf(context, (mailbox) => [mailbox.purgedThrough]),
    fault: (context, { address = '' }) => {
      const mailbox = mailboxOf(context, address);
      if (!mailbox || purgedThrough(mailbox) !== undefined) return undefined;
      return 'holds no day, so messages of purged days would be taken for new ones';
    },
    hint: lastDayPurged,
  },
  {
    name: 'actors/<address>/mailbox/purge-clock',
    kind: 'file',
    mode: READABLE,
    places: (context) => placesOf(context, (mailbox) => [mailbox.purgeClock]),
    fault: ({ host }, { path }) =>
      isClockMark(readText(host.files, path)) ? undefined : 'holds no times to compare with',
    make: async (context, { address = '' }) => {
      const mailbox = mailboxOf(context, address);
      if (mailbox) await writeClockMark(mailbox);
    },
    isReplaceable: always,
    hint: restore,
  },
];

function pathsBelow({ host }: RoomContext, path: string): string[] {
  return namesIn(host.files, path).map((name) => `${path}/${name}`);
}

function directory(name: string, pathIn: (mailbox: MailboxLayout) => string): DurableFile {
  return {
    name: `actors/<address>/mailbox/${name}`,
    kind: 'directory',
    mode: ALL_OF_OWNER,
    places: (context) => placesOf(context, (mailbox) => [pathIn(mailbox)]),
    // An actor with neither has never completed a join, and does so by joining again.
    isNeeded: ({ host, layout }, { address = '' }) =>
      readCard(host, layout, address) !== undefined ||
      host.files.lstat(actorLayout(layout, address).mailbox.new) !== undefined,
    make: ({ host }, { path }) => void ensureDirectory(host.files, path),
    isReplaceable: always,
    hint: restore,
  };
}

function placesOf(context: RoomContext, pathsIn: (mailbox: MailboxLayout) => readonly string[]): Place[] {
  return listAddresses(context).flatMap((address) =>
    pathsIn(actorLayout(context.layout, address).mailbox).map((path) => ({ address, path })),
  );
}

/** The hint names the last day that can have been purged under the current limits. */
function lastDayPurged({ config, host }: RoomContext, { path, address = '' }: Place): string {
  const daysKept = config.limitsOf(address).doneDaysKept;
  const day = new Date(host.clock.now() - (daysKept + 1) * DAY_MS).toISOString().slice(0, 10);
  return (
    'Restore it from a backup; or write into it the last day that can have been purged, so that no mail up to that day is ' +
    `taken for new: rm -rf ${quote(path)} && echo ${day} > ${quote(path)}`
  );
}
