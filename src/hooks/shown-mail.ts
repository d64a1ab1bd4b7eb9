import { LeaseLost } from '../errors.ts';
import { namesIn, removeQuietly, replaceFile, stagedPath } from '../host/files.ts';
import { openClaim } from '../mailbox/claim.ts';
import { claimFileName, messageFileName, parseMessageFileName } from '../message/layout.ts';
import { mailboxOf, type RoomContext } from '../room/context.ts';
import { mailOf, type Mail } from '../room/mail.ts';
import { readSignedRecord, signedRecord } from '../room/signed-record.ts';
import type { Session } from './session.ts';

/**
 * Mail that a session was shown and that nobody has acknowledged yet. Its states, by what lies on the disk:
 *
 * | claim                    | record | the message                                                      |
 * |--------------------------|--------|------------------------------------------------------------------|
 * | as the hook made it      | no     | may not have been seen: the lease is short, then it comes again   |
 * | as the record names it   | yes    | was seen: acknowledged by what proves that the model has run      |
 * | kept in part             | yes    | its beginning was seen: stays claimed while the session goes on  |
 * | another one, or none     | yes    | was dealt with, or belongs to somebody else: the record is dropped |
 */
export interface ShownMail {
  /** The message's file name, and the record's. */
  readonly name: string;
  /**
   * The program had not given it to the model when the next event was on its way: shown at a session's start, or by who woke it.
   * The event behind that one proves that the model has run with it.
   */
  readonly isQueued: boolean;
  readonly mail: Mail;
}

/** The lease of what a hook has claimed and not yet recorded as shown. */
export const UNRECORDED_LEASE_MS = 60_000;
/** The lease of what was shown; each hook of the session renews it. */
const SHOWN_LEASE_MS = 30 * 60_000;
const RECORD = 'shown';

/** What the session was shown and still holds, oldest first. Records of anything else are dropped. */
export function shownMail(context: RoomContext, session: Session): ShownMail[] {
  const mailbox = mailboxOf(context, session.address);
  const shown: ShownMail[] = [];
  for (const name of namesIn(context.host.files, session.layout.shown).sort()) {
    if (!parseMessageFileName(name)) continue;
    const path = `${session.layout.shown}/${name}`;
    const fields = readSignedRecord(context, { path, record: RECORD, signer: () => session.address });
    const isOwn = fields?.['session'] === session.key && fields['name'] === name;
    const untils = isOwn ? [fields['untilMs'], fields['nextMs']] : [];
    const claim = untils
      .filter((untilMs) => typeof untilMs === 'number')
      .map((untilMs) => claimFileName({ name, attempt: Number(fields?.['attempt']), untilMs }))
      .map((fileName) => mailbox && openClaim(mailbox, fileName))
      .find((found) => found !== undefined);
    if (!claim || !mailbox) removeQuietly(context.host.files, path);
    else
      shown.push({
        name,
        isQueued: fields?.['isQueued'] === true,
        mail: mailOf(context, mailbox, claim),
      });
  }
  return shown;
}

/** Only its beginning was shown, which nothing acknowledges: it is the agent's to read. */
export function isInPart(mail: Mail): boolean {
  return mail.attempt === 0;
}

/** Whether the session was shown it before; also when it does not hold it any more. */
export function wasShown({ host }: RoomContext, { layout }: Session, name: string): boolean {
  return host.files.lstat(`${layout.shown}/${name}`) !== undefined;
}

/** Records that the session was shown it, or is still to act on it, and extends the lease. */
export async function keepShown(
  context: RoomContext,
  session: Session,
  { mail, isQueued }: Pick<ShownMail, 'mail' | 'isQueued'>,
  endsMs = context.host.clock.now() + leaseOf(context, session),
): Promise<void> {
  const { host, layout } = context;
  const name = messageFileName(mail.message);
  const nextMs = Math.max(endsMs, mail.leaseEndsAtMs + 1);
  const { attempt, leaseEndsAtMs: untilMs } = mail;
  const { key, address } = session;
  const fields = { record: RECORD, session: key, address, name, attempt, untilMs, nextMs, isQueued };
  const bytes = signedRecord(context, session.address, fields);
  const staged = stagedPath(layout.tmp, host.randomBytes);
  const path = `${session.layout.shown}/${name}`;
  // The record names the lease before and after the renewal, so whichever of them is there belongs to this session.
  await replaceFile(host.files, { path, staged, bytes, mode: 0o600, durable: false });
  await unlessLost(mail.renewUntil(nextMs));
}

function leaseOf({ config }: RoomContext, { address }: Session): number {
  return Math.min(SHOWN_LEASE_MS, config.limitsOf(address).leaseMsMax);
}

/**
 * Renews the lease where half of it is over. Hooks that run at the same time renew it to the same end, a whole number of halves behind
 * the one before, so that the record of each names the claim that the first one made.
 */
export async function renewShown(context: RoomContext, session: Session, { mail, isQueued }: ShownMail): Promise<void> {
  const half = leaseOf(context, session) / 2;
  const leftMs = mail.leaseEndsAtMs - context.host.clock.now();
  if (leftMs > half) return;
  const halves = Math.max(1, Math.ceil((half - leftMs) / half));
  await keepShown(context, session, { mail, isQueued }, mail.leaseEndsAtMs + halves * half);
}

/** The model has run since it was shown: it is acknowledged. */
export async function acknowledgeShown(
  context: RoomContext,
  session: Session,
  { name, mail }: ShownMail,
): Promise<void> {
  await unlessLost(mail.ack());
  removeQuietly(context.host.files, `${session.layout.shown}/${name}`);
}

/** Nobody knows whether the model has run since: another reader may have it. */
export async function returnShown(context: RoomContext, session: Session): Promise<void> {
  for (const { mail } of shownMail(context, session)) await returnMail(context, session, mail);
}

/** The same for one message of it. */
export async function returnMail(context: RoomContext, session: Session, mail: Mail): Promise<void> {
  removeQuietly(context.host.files, `${session.layout.shown}/${messageFileName(mail.message)}`);
  await unlessLost(mail.release());
}

/** Somebody else has it by now, or the agent has answered, acknowledged or released it: then there is nothing left to do. */
async function unlessLost(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
  }
}
