import { Conflict, MessageRefused } from '../errors.ts';
import { namesIn } from '../host/names-in.ts';
import { claimNew, isOpenToAll, openClaim, takeOver, type Claim } from '../mailbox/claim.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { MessageStatus } from '../mailbox/status.ts';
import { messageFileName, parseClaimFileName } from '../message/layout.ts';
import { timeOfId } from '../message/message-id.ts';
import { formatTime } from '../message/format-time.ts';
import type { RoomContext } from './context.ts';
import { findMail } from './find-mail.ts';
import { Mail, receive } from './mail.ts';

const LOOKS_MAX = 3;

/**
 * Claims one message by its id or an unambiguous ending. A claim that another process of the same actor holds is that
 * actor's own, so it is handed out as it is. Throws `MessageNotFound`, `MessageRefused` for early mail, and `Conflict` for a
 * message that was acknowledged, given up or is claimed by somebody at this moment. With `isLast`, for what is acknowledged
 * at once, a lease that has ended is no further attempt, which might be one too many, and early mail is claimed too.
 */
export function claimMail(
  context: RoomContext,
  mailbox: Mailbox,
  options: { idEnding: string; leaseMs: number; isLast?: boolean },
): Mail {
  const { idEnding } = options;
  for (let look = 1; look <= LOOKS_MAX; look++) {
    const found = findMail(mailbox, idEnding);
    const mail = claimFound(context, mailbox, { ...options, found });
    if (mail) return mail;
    // It moved between the look and the claim, or was put aside; where it lies now says which.
  }
  throw new Conflict(`The message ${idEnding} of ${mailbox.address} is being claimed by several processes at once.`, {
    hint: `See where it is: mailroom status ${idEnding}`,
  });
}

/** What this actor has claimed and not dealt with, whichever of its processes claimed it; oldest first. */
export function heldMail(context: RoomContext, mailbox: Mailbox): Mail[] {
  const held: Mail[] = [];
  for (const fileName of namesIn(mailbox.host.files, mailbox.layout.cur).sort()) {
    const claimName = parseClaimFileName(fileName);
    if (!claimName || isOpenToAll(mailbox, claimName)) continue;
    const claim = openClaim(mailbox, fileName);
    if (claim) held.push(new Mail(context, mailbox, claim));
  }
  return held;
}

function claimFound(
  context: RoomContext,
  mailbox: Mailbox,
  { found, leaseMs, isLast = false }: { found: MessageStatus; leaseMs: number; isLast?: boolean },
): Mail | undefined {
  const { id, state, path, readableFromMs } = found;
  if (readableFromMs !== undefined && !isLast) throw tooEarly(id, readableFromMs);
  const fileName = path.slice(path.lastIndexOf('/') + 1);
  const handOut = (claim: Claim | undefined): Mail | undefined => claim && receive(context, mailbox, claim);
  if (state === 'delivered') return handOut(claimNew(mailbox, { name: messageFileName(found), leaseMs }));
  if (state === 'released' && !isLast) {
    const claim = parseClaimFileName(fileName);
    return claim && handOut(takeOver(mailbox, { claim, leaseMs }));
  }
  if (state === 'released' || state === 'claimed') {
    const claim = openClaim(mailbox, fileName);
    return claim && new Mail(context, mailbox, claim);
  }
  if (state === 'acknowledged') {
    throw new Conflict(`The message ${id} of ${mailbox.address} was acknowledged already.`, {
      hint: `Its text is still there: mailroom read ${id.slice(-8)}`,
    });
  }
  const { reason = 'unknown', detail = '' } = found;
  throw new Conflict(`The message ${id} of ${mailbox.address} is a dead letter (${reason}: ${detail}).`, {
    hint: `To have it back: mailroom dead retry ${id.slice(-8)}`,
  });
}

function tooEarly(id: string, readableFromMs: number): MessageRefused {
  const [time, from] = [timeOfId(id), readableFromMs].map(formatTime);
  return new MessageRefused(
    `The message ${id} is of ${time}, far ahead of this machine's clock: it can be read from ${from} on.`,
    {
      reason: 'from-the-future',
      hint: `Compare the clock with the right time: date -u. To be rid of the message unread: mailroom ack ${id.slice(-8)}`,
    },
  );
}
