import { LeaseLost } from '../errors.ts';
import { namesIn, removeQuietly, replaceFile, stagedPath } from '../host/files.ts';
import { openClaim } from '../mailbox/claim.ts';
import { claimFileName, messageFileName, parseMessageFileName } from '../message/layout.ts';
import { mailboxOf, type RoomContext } from '../room/context.ts';
import { mailOf, type Mail } from '../room/mail.ts';
import { readSignedRecord, signedRecord } from '../room/signed-record.ts';
import type { Session } from './session.ts';

/**
 * Mail that a session was shown and that is not acknowledged yet. Its states, by the files on the disk:
 *
 * | claim                    | record | the message                                                      |
 * |--------------------------|--------|------------------------------------------------------------------|
 * | as the hook made it      | no     | may not have been seen: the lease is short, then it comes back     |
 * | as the record names it   | yes    | was seen: acknowledged by an event that proves the model has run   |
 * | kept in part             | yes    | its beginning was seen: stays claimed while the session is live    |
 * | another one, or none     | yes    | was handled, or taken over by another reader: the record is dropped |
 */
export interface ShownMail {
  /** The message's file name, and the record's. */
  readonly name: string;
  /**
   * The program may not have given the mail to the model by the next event: it was shown at a session's start, or by a wake-up.
   * Only the event after that one proves that the model has run with it.
   */
  readonly isQueued: boolean;
  readonly mail: Mail;
}

/** The lease of mail that a hook has claimed but not yet recorded as shown. */
export const UNRECORDED_LEASE_MS = 60_000;
/** The lease of shown mail; each hook of the session renews it. */
const SHOWN_LEASE_MS = 30 * 60_000;
const RECORD = 'shown';

/** The mail that the session was shown and still holds, oldest first. Other records are dropped. */
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

/** Whether only the beginning was shown. No hook acknowledges such a message: the agent has to read it. */
export function isInPart(mail: Mail): boolean {
  return mail.attempt === 0;
}

/** Whether the session was shown the message before, even if it no longer holds it. */
export function wasShown({ host }: RoomContext, { layout }: Session, name: string): boolean {
  return host.files.lstat(`${layout.shown}/${name}`) !== undefined;
}

/** Records that the session was shown the message, or still has to act on it, and extends the lease. */
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
  // The record names the lease before and after the renewal, so that a kill between the two leaves a claim of this session.
  await replaceFile(host.files, { path, staged, bytes, mode: 0o600, durable: false });
  await unlessLost(mail.renewUntil(nextMs));
}

function leaseOf({ config }: RoomContext, { address }: Session): number {
  return Math.min(SHOWN_LEASE_MS, config.limitsOf(address).leaseMsMax);
}

/**
 * Renews the lease once half of it has passed. Concurrent hooks renew it to the same end, a whole number of halves after the
 * previous one, so that each hook's record names the claim that the first one made.
 */
export async function renewShown(context: RoomContext, session: Session, { mail, isQueued }: ShownMail): Promise<void> {
  const half = leaseOf(context, session) / 2;
  const leftMs = mail.leaseEndsAtMs - context.host.clock.now();
  if (leftMs > half) return;
  const halves = Math.max(1, Math.ceil((half - leftMs) / half));
  await keepShown(context, session, { mail, isQueued }, mail.leaseEndsAtMs + halves * half);
}

/** Acknowledges a message after which the model has run. */
export async function acknowledgeShown(
  context: RoomContext,
  session: Session,
  { name, mail }: ShownMail,
): Promise<void> {
  await unlessLost(mail.ack());
  removeQuietly(context.host.files, `${session.layout.shown}/${name}`);
}

/** Releases the session's shown mail to other readers, because the model may not have run with it. */
export async function releaseShown(context: RoomContext, session: Session): Promise<void> {
  for (const { mail } of shownMail(context, session)) await releaseShownMail(context, session, mail);
}

/** The same for one message. */
export async function releaseShownMail(context: RoomContext, session: Session, mail: Mail): Promise<void> {
  removeQuietly(context.host.files, `${session.layout.shown}/${messageFileName(mail.message)}`);
  await unlessLost(mail.release());
}

/** Ignores a lost lease: another reader has the message, or the agent has answered, acknowledged or released it. */
async function unlessLost(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
  }
}
