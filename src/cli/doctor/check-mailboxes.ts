import { namesIn, removeQuietly } from '../../host/files.ts';
import { isOpenToAll } from '../../mailbox/claim.ts';
import { listEarly } from '../../mailbox/early.ts';
import { countWaiting, isFullFor } from '../../mailbox/deliver.ts';
import type { Mailbox } from '../../mailbox/mailbox.ts';
import { abandonedIn } from '../../mailbox/sweep.ts';
import { isAddress, isDeviceName } from '../../message/address.ts';
import { isReasonFileName, parseMessageFileName } from '../../message/layout.ts';
import { timeOfId } from '../../message/message-id.ts';
import { formatTime } from '../../message/format-time.ts';
import { listAddresses, mailboxOf } from '../../room/context.ts';
import { contextOf, type Room } from '../../room/room.ts';
import type { Check, DoctorFinding } from './finding.ts';
import { claimsIn } from '../../mailbox/entries.ts';

const NEARLY_FULL = 0.8;
const SENDERS_SHOWN_MAX = 5;
const CLOCK_AHEAD_MS_MAX = 60_000;

/** What piles up: unread mail, expired claims, dead letters, files of senders that died. */
export const checkMailboxes: Check = (room, { fix }) => {
  const findings: DoctorFinding[] = [];
  for (const address of listAddresses(contextOf(room))) {
    const mailbox = mailboxOf(contextOf(room), address);
    if (isDeviceName(address)) findings.push(unportable(address));
    if (!mailbox) findings.push(incomplete(address));
    else findings.push(...fullness(mailbox), ...claims(mailbox), ...deadLetters(mailbox), ...fromTheFuture(mailbox));
  }
  findings.push(...abandoned(room, { fix }));
  if (findings.length > 0) return findings;
  return [{ check: 'mailboxes', level: 'ok', text: 'none is full, and nothing was given up or abandoned' }];
};

function unportable(address: string): DoctorFinding {
  return {
    check: 'mailboxes',
    level: 'note',
    text: `${address} cannot be a file name on Windows, so the room cannot be copied there`,
    hint: `It works everywhere else. To get rid of it, let ${address} read its mail and leave, then join under another name.`,
  };
}

function incomplete(address: string): DoctorFinding {
  return {
    check: 'mailboxes',
    level: 'note',
    text: `${address} has a directory but no mailbox, as after an interrupted join`,
    hint: `If you need that actor, complete it: mailroom join ${address}`,
  };
}

function fullness(mailbox: Mailbox): DoctorFinding[] {
  const { address, limits } = mailbox;
  const { count: waiting, bySender } = countWaiting(mailbox);
  const most = limits.newMessagesMax;
  const senders = [...bySender].filter(([sender]) => isAddress(sender)).toSorted(([, a], [, b]) => b - a);
  const free = most - waiting;
  const held = senders.filter(([, own]) => isFullFor({ own, waiting, free })).map(([sender]) => sender);
  if (waiting < most * NEARLY_FULL && held.length === 0) return [];
  const shown = senders.slice(0, SENDERS_SHOWN_MAX).map(([sender, own]) => `${own} from ${sender}`);
  const told = held.length === 0 ? '' : `; it is full for ${held.slice(0, SENDERS_SHOWN_MAX).join(', ')}`;
  return [
    {
      check: 'mailboxes',
      level: waiting >= most || held.length > 0 ? 'wrong' : 'note',
      text: `the mailbox of ${address} holds ${waiting} waiting messages of at most ${most}: ${shown.join(', ')}${told}`,
      hint: `It is for ${address} to read. See it: mailroom --as ${address} inbox`,
    },
  ];
}

function claims(mailbox: Mailbox): DoctorFinding[] {
  const { address } = mailbox;
  const expired = [...claimsIn(mailbox)].filter(({ claim }) => isOpenToAll(mailbox, claim));
  if (expired.length === 0) return [];
  return [
    {
      check: 'claims',
      level: 'note',
      text: `${expired.length} messages of ${address} were claimed but not acknowledged in time; they wait again`,
      hint: `They are for ${address} to read. See them: mailroom --as ${address} inbox`,
    },
  ];
}

function deadLetters({ address, host, layout }: Mailbox): DoctorFinding[] {
  const isLetter = (name: string): boolean => !isReasonFileName(name) && name !== 'refused';
  const dead = namesIn(host.files, layout.dead).filter(isLetter).length;
  const refused = namesIn(host.files, layout.refused).filter(isLetter).length;
  if (dead + refused === 0) return [];
  return [
    {
      check: 'dead letters',
      level: 'note',
      text: `${address} has ${dead} dead letters and ${refused} refused files`,
      hint: `See them: mailroom --as ${address} dead list`,
    },
  ];
}

function fromTheFuture(mailbox: Mailbox): DoctorFinding[] {
  const { address, host, layout } = mailbox;
  const early = listEarly(mailbox);
  const [first] = early;
  if (first) {
    const until = formatTime(first.readableFromMs);
    return [
      {
        check: 'clock',
        level: 'wrong',
        text: `${early.length} messages of ${address} are dated far ahead of this machine's clock, and wait; the first, from ${first.from}, until ${until}`,
        hint: 'Compare the clock with the right time: date -u. They can be read as soon as it agrees.',
      },
    ];
  }
  const newest = namesIn(host.files, layout.new).map((name) => parseMessageFileName(name)?.id);
  const latestMs = Math.max(0, ...newest.map((id) => (id === undefined ? 0 : timeOfId(id))));
  if (latestMs <= host.clock.now() + CLOCK_AHEAD_MS_MAX) return [];
  return [
    {
      check: 'clock',
      level: 'wrong',
      text: `${address} has a message dated ${formatTime(latestMs)}, which is in the future by this machine's clock`,
      hint: 'Compare the clock with the right time (date -u).',
    },
  ];
}

function abandoned(room: Room, { fix }: { fix: boolean }): DoctorFinding[] {
  const context = contextOf(room);
  const { host, layout, config } = context;
  const mailboxes = listAddresses(context).map((address) => mailboxOf(context, address)?.layout.tmp);
  const directories = [layout.tmp, ...mailboxes.filter((path) => path !== undefined)];
  const ageMsMax = config.limits.tmpAgeMsMax;
  const paths = directories.flatMap((directory) => abandonedIn(host, { directory, ageMsMax }));
  if (paths.length === 0) return [];
  if (fix) for (const path of paths) removeQuietly(host.files, path);
  const left = paths.filter((path) => host.files.lstat(path));
  if (left.length === 0) return [{ check: 'abandoned files', level: 'ok', text: `${paths.length} were swept` }];
  return [
    {
      check: 'abandoned files',
      level: 'wrong',
      text: `${left.length} files of senders that died lie in tmp directories, such as ${left[0] ?? ''}`,
      hint: fix
        ? 'They could not be removed: check the permissions and the mount.'
        : 'Sweep them with: mailroom doctor --fix',
    },
  ];
}
