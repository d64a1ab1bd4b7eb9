import { removeQuietly } from '../host/files.ts';
import type { Refusal } from '../message/message.ts';
import { giveUp, refuse } from './dead.ts';
import type { VerifiedMessage } from './find.ts';
import type { Mailbox } from './mailbox.ts';

/** What to do with a verified message that only its reader may move. */
export type MailVerdict =
  /** The reader gets it. */
  | { readonly kind: 'handle' }
  /** Another copy with the same bytes counts instead. */
  | { readonly kind: 'duplicate' }
  /** It is not valid, and never will be. */
  | { readonly kind: 'refuse'; readonly refusal: Refusal }
  /** It was valid, but is given up. */
  | { readonly kind: 'give-up'; readonly refusal: Refusal };

/** What a verdict depends on. Each fact is looked up only when the facts before it have not decided. */
export interface VerdictFacts {
  /** The copies that count instead of this one, each compared with it. */
  readonly copies: Iterable<{
    readonly path: string;
    readonly compared: 'equal' | 'different' | 'unverifiable' | 'gone';
  }>;
  /** Why the message is too old to tell whether it was handled; undefined if it is not. */
  readonly purged: () => Refusal | undefined;
  /** Why it was tried too often; undefined if it may be tried. */
  readonly spent: () => Refusal | undefined;
  /** ISO 8601; undefined if the message never expires. */
  readonly expiresAt: string | undefined;
  /** Ms since the epoch. */
  readonly now: () => number;
}

/** Decides without changing anything. */
export function judgeMail({ copies, purged, spent, expiresAt, now }: VerdictFacts): MailVerdict {
  for (const { path, compared } of copies) {
    if (compared === 'equal') return { kind: 'duplicate' };
    if (compared === 'different') {
      const detail = `it has the id of another message, at ${path}`;
      return { kind: 'refuse', refusal: { reason: 'duplicate-differs', detail } };
    }
  }
  const tooOld = purged();
  if (tooOld) return { kind: 'refuse', refusal: tooOld };
  const tooOften = spent();
  if (tooOften) return { kind: 'give-up', refusal: tooOften };
  const isExpired = expiresAt !== undefined && Date.parse(expiresAt) <= now();
  if (isExpired) return { kind: 'give-up', refusal: { reason: 'expired', detail: `it expired at ${expiresAt}` } };
  return { kind: 'handle' };
}

/** Carries out the verdict on the file at `path`. Returns whether the reader has to handle the message. */
export function applyVerdict(
  mailbox: Mailbox,
  { path, name, message }: { path: string; name: string } & Pick<VerifiedMessage, 'message'>,
  verdict: MailVerdict,
): boolean {
  switch (verdict.kind) {
    case 'handle':
      return true;
    case 'duplicate':
      removeQuietly(mailbox.host.files, path);
      mailbox.observe({ kind: 'duplicate', message });
      return false;
    case 'refuse':
      refuse(mailbox, { path, name, refusal: verdict.refusal });
      return false;
    default:
      giveUp(mailbox, { path, name, message, refusal: verdict.refusal });
      return false;
  }
}
