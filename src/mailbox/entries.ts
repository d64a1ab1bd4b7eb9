import { namesIn } from '../host/files.ts';
import { type ClaimName, parseClaimFileName, parseMessageFileName } from '../message/layout.ts';
import type { Mailbox } from './mailbox.ts';

/** A message that is not handled yet, by its file name alone. */
export interface MailboxEntry {
  /** The message's name, without a claim. */
  readonly name: string;
  readonly path: string;
  /** The claim in the file name; undefined in `new`. */
  readonly claim: ClaimName | undefined;
}

type MailboxFiles = Pick<Mailbox, 'host' | 'layout'>;

/**
 * The messages in `new`, then those in `cur`: the order in which a message moves, so that one that moves meanwhile is
 * seen at least once. Other names are left out, and given to `onForeign` if they are in `new`. Throws if there is no
 * `new`, unless `mayLackNew`.
 */
export function* entriesOf(
  mailbox: MailboxFiles,
  { onForeign, mayLackNew = false }: { onForeign?: (name: string) => void; mayLackNew?: boolean } = {},
): Generator<MailboxEntry, void, void> {
  const { host, layout } = mailbox;
  for (const name of mayLackNew ? namesIn(host.files, layout.new) : host.files.readdir(layout.new)) {
    if (parseMessageFileName(name)) yield { name, path: `${layout.new}/${name}`, claim: undefined };
    else onForeign?.(name);
  }
  yield* claimsIn(mailbox);
}

export interface ClaimEntry extends MailboxEntry {
  readonly claim: ClaimName;
  readonly fileName: string;
}

/** The claims in `cur`; none if there is no such directory. */
export function* claimsIn({ host, layout }: MailboxFiles): Generator<ClaimEntry, void, void> {
  for (const fileName of namesIn(host.files, layout.cur)) {
    const claim = parseClaimFileName(fileName);
    if (claim) yield { name: claim.name, path: `${layout.cur}/${fileName}`, claim, fileName };
  }
}
