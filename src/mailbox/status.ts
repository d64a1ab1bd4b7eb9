import { namesIn } from '../host/names-in.ts';
import { parseClaimFileName, parseMessageFileName } from '../message/layout.ts';
import { stateOfClaim } from './claim.ts';
import { listDead } from './dead.ts';
import { createEarlyTest, readableFromMs } from './early.ts';
import type { Mailbox } from './mailbox.ts';

/** Where one message lies in one mailbox. */
export interface MessageStatus {
  readonly recipient: string;
  readonly id: string;
  readonly from: string;
  readonly state: 'delivered' | 'claimed' | 'released' | 'acknowledged' | 'dead';
  readonly attempt?: number;
  /** End of the lease, ms since the epoch; 0 when there is none. */
  readonly untilMs?: number;
  /** Of early mail that nobody holds: when it is handed out, in ms since the epoch. */
  readonly readableFromMs?: number;
  /** Why it is dead. */
  readonly reason?: string;
  readonly detail?: string;
  readonly path: string;
}

/**
 * Every message in the mailbox whose id ends with `idEnding`, looked for along the way a message goes; without `history`
 * only what was not dealt with yet.
 */
export function statusIn(
  mailbox: Mailbox,
  { idEnding, history }: { idEnding: string; history: boolean },
): MessageStatus[] {
  const { host, layout, address } = mailbox;
  const found: MessageStatus[] = [];
  const wanted = (name: string | undefined): { recipient: string; id: string; from: string } | undefined => {
    const named = name === undefined ? undefined : parseMessageFileName(name);
    return named?.id.endsWith(idEnding) ? { recipient: address, ...named } : undefined;
  };
  const isEarly = createEarlyTest(mailbox);
  const timeOf = (name: string, id: string): { readableFromMs?: number } =>
    isEarly(name) ? { readableFromMs: readableFromMs(mailbox, id) } : {};
  for (const name of namesIn(host.files, layout.new)) {
    const named = wanted(name);
    if (named) found.push({ ...named, state: 'delivered', ...timeOf(name, named.id), path: `${layout.new}/${name}` });
  }
  for (const fileName of namesIn(host.files, layout.cur)) {
    const claim = parseClaimFileName(fileName);
    const named = wanted(claim?.name);
    if (!claim || !named) continue;
    const lies = stateOfClaim(mailbox, claim);
    const time = lies.state === 'released' ? timeOf(claim.name, named.id) : {};
    found.push({ ...named, ...lies, ...time, path: `${layout.cur}/${fileName}` });
  }
  if (!history) return found;
  for (const day of namesIn(host.files, layout.done)) {
    for (const name of namesIn(host.files, `${layout.done}/${day}`)) {
      const named = wanted(name);
      if (named) found.push({ ...named, state: 'acknowledged', path: `${layout.done}/${day}/${name}` });
    }
  }
  for (const letter of listDead(mailbox)) {
    const named = letter.verified ? wanted(letter.name) : undefined;
    if (named) found.push({ ...named, state: 'dead', reason: letter.reason, detail: letter.detail, path: letter.path });
  }
  return found;
}
