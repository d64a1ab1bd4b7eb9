import { namesIn, removeQuietly } from '../../host/files.ts';
import { quote } from '../../host/shell-word.ts';
import { listDead, readReason, writeReason } from '../../mailbox/dead.ts';
import { listClaimable, refuseForeign } from '../../mailbox/drain.ts';
import type { Mailbox } from '../../mailbox/mailbox.ts';
import { isReasonFileName, letterOfReason, reasonFileName } from '../../message/layout.ts';
import { listAddresses, mailboxOf } from '../../room/context.ts';
import { contextOf } from '../../room/room.ts';
import type { Check, DoctorFinding } from './finding.ts';

const FIX = 'Repair it with: mailroom doctor --fix';

/** What lies where messages belong and is none, and letters whose reasons are lost, or the other way round. */
export const checkLetters: Check = (room, { fix }) => {
  const context = contextOf(room);
  const mailboxes = listAddresses(context).map((address) => mailboxOf(context, address));
  return mailboxes.flatMap((mailbox) =>
    mailbox ? [...foreign(mailbox, fix), ...lostReasons(mailbox, fix), ...lostLetters(mailbox, fix)] : [],
  );
};

function foreign(mailbox: Mailbox, fix: boolean): DoctorFinding[] {
  const waiting = listClaimable(mailbox);
  if (waiting.foreign.length === 0) return [];
  if (fix) refuseForeign(mailbox, waiting);
  const left = fix
    ? namesIn(mailbox.host.files, mailbox.layout.new).filter((name) => waiting.foreign.includes(name))
    : waiting.foreign;
  const { address, layout } = mailbox;
  if (left.length === 0) {
    return [
      {
        check: 'names',
        level: 'ok',
        text: `repaired: ${waiting.foreign.length} files in ${layout.new} are refused now`,
      },
    ];
  }
  return [
    {
      check: 'names',
      level: 'wrong',
      text: `${left.length} files in ${layout.new} of ${address} do not have the name of a message, such as ${left[0] ?? ''}`,
      hint: fix ? 'They could not be moved: check the permissions and the mount.' : FIX,
    },
  ];
}

function lostReasons(mailbox: Mailbox, fix: boolean): DoctorFinding[] {
  const { host } = mailbox;
  return listDead(mailbox)
    .filter(({ path }) => !readReason(mailbox, path))
    .map(({ path, name }): DoctorFinding => {
      const reasonPath = reasonFileName(path);
      const text = `${reasonPath}, the reason of a dead letter, is missing or cannot be read`;
      if (!fix) return { check: 'reasons', level: 'wrong', text, hint: FIX };
      try {
        const detail = 'why it was given up is no longer known: its reason file was missing or damaged';
        const why = { name, reason: 'unknown', detail, at: new Date(host.clock.now()).toISOString() };
        writeReason(mailbox, reasonPath, why);
        return { check: 'reasons', level: 'ok', text: `repaired: ${reasonPath} now says that the reason is not known` };
      } catch (error) {
        return {
          check: 'reasons',
          level: 'wrong',
          text,
          hint: `${String(error)}. Remove it: rm -r ${quote(reasonPath)}`,
        };
      }
    });
}

/** A reason is written just before its letter arrives, so only an old reason without a letter is left over. */
function lostLetters(mailbox: Mailbox, fix: boolean): DoctorFinding[] {
  const { host, layout, limits } = mailbox;
  const before = host.clock.now() - limits.tmpAgeMsMax;
  const left = [layout.dead, layout.refused].flatMap((directory) =>
    namesIn(host.files, directory)
      .filter((name) => isReasonFileName(name))
      .map((name) => `${directory}/${name}`)
      .filter((path) => !host.files.lstat(letterOfReason(path)))
      .filter((path) => (host.files.lstat(path)?.mtimeMs ?? Infinity) <= before),
  );
  if (fix) for (const path of left) removeQuietly(host.files, path);
  return left.map((path): DoctorFinding => {
    const isGone = !host.files.lstat(path);
    if (isGone)
      return { check: 'reasons', level: 'ok', text: `repaired: ${path}, a reason without a letter, was removed` };
    return {
      check: 'reasons',
      level: 'wrong',
      text: `${path} is the reason of a letter that does not exist`,
      hint: fix ? `Remove it: rm -r ${quote(path)}` : FIX,
    };
  });
}
