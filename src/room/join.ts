import { ActorNotFound, Conflict, InvalidInput } from '../errors.ts';
import { ensureDirectory, namesIn } from '../host/files.ts';
import type { ProcessIdentity } from '../host/processes.ts';
import { createMailboxDirectories } from '../mailbox/create.ts';
import { quote } from '../host/shell-word.ts';
import { writeClockMark } from '../mailbox/purge.ts';
import { assertNewAddress, newAddressLike } from '../message/address.ts';
import { echo } from '../message/cut.ts';
import { isoTime } from '../message/format-time.ts';
import { actorLayout } from '../message/layout.ts';
import { isMessageType } from '../message/message-type.ts';
import { nearest } from '../message/nearest.ts';
import { claimCard, readCard, retireCard, type Card, type TmuxPane } from './card.ts';
import { listAddresses, mailboxOf, type RoomContext } from './context.ts';
import { showLife } from './signs-of-life.ts';

/** What an actor says about itself when it joins; it becomes its card. */
export interface JoinOptions {
  /** Whether an agent or a workflow joins. Default: `agent`. */
  readonly kind?: Card['kind'] | undefined;
  /** The program behind the actor, for people, such as `claude`. */
  readonly program?: string | undefined;
  /** The address of the workflow that started this one. */
  readonly parent?: string | undefined;
  /** What the actor can do, in its own words. Default: none. */
  readonly skills?: readonly string[] | undefined;
  /** The message types that the actor accepts in addition to the common ones: capitals, digits and single hyphens. Default: none. */
  readonly accepts?: readonly string[] | undefined;
  /** Whether broadcasts are delivered to the actor. Default: true for agents, false for workflows. */
  readonly broadcasts?: boolean | undefined;
  /** The process whose end means that the actor is gone. Default: this one. */
  readonly process?: ProcessIdentity | undefined;
  /** The tmux pane that shows the actor's unread mail. Default: none. */
  readonly tmux?: TmuxPane | undefined;
  /** Take the address from a live actor, or as an agent from a workflow. Default: false. */
  readonly takeOver?: boolean | undefined;
}

/** Makes or completes an actor's directories, its key and its card, in that order: an actor with a card is complete. */
export async function joinRoom(context: RoomContext, address: string, options: JoinOptions): Promise<Card> {
  const { host, layout } = context;
  const actor = actorLayout(layout, address);
  const card = cardOf(context, address, options);
  context.standing.assertSame();
  // An actor that has joined before may come back under any address.
  if (!readCard(host, layout, address)) assertNewAddress(address);
  ensureDirectory(host.files, layout.actors);
  if (!ensureDirectory(host.files, actor.directory)) assertSpelling(context, address);
  await context.keyring.enrol(address);
  // For mail to survive a power loss, every directory above it has to survive too.
  await createMailboxDirectories(host, actor.mailbox, [layout.actors]);
  const mailbox = mailboxOf(context, address);
  if (mailbox && !host.files.lstat(actor.mailbox.purgeClock)) await writeClockMark(mailbox);
  await claimCard(host, layout, { card, takeOver: options.takeOver ?? false });
  showLife(context, address);
  context.log.append({ event: 'joined', from: address, ...(card.program ? { detail: card.program } : {}) });
  return card;
}

/**
 * Throws `Conflict` if the disk treats a directory of another spelling (`Bob`) as that of the address: no listing would
 * show it.
 */
function assertSpelling({ host, layout }: RoomContext, address: string): void {
  const names = namesIn(host.files, layout.actors);
  const other = names.includes(address) ? undefined : names.find((name) => name.toLowerCase() === address);
  if (other === undefined) return;
  const path = `${layout.actors}/${other}`;
  throw new Conflict(
    `Nobody can join as ${address} while ${path} exists: this disk does not distinguish capitals from small letters.`,
    { hint: `No actor can have that name. Move it away and join again: mv ${quote(path)} ${quote(`${path}.old`)}` },
  );
}

function cardOf({ host }: RoomContext, address: string, options: JoinOptions): Card {
  const { kind = 'agent', program, parent, skills = [], accepts = [], tmux } = options;
  const malformed = accepts.find((type) => !isMessageType(type));
  if (malformed !== undefined) {
    throw new InvalidInput(
      `${echo(malformed)} is not a message type: expected capitals, digits and single hyphens, such as REVIEW-FEEDBACK.`,
    );
  }
  return {
    v: 1,
    address,
    kind,
    ...(program === undefined ? {} : { program }),
    ...(parent === undefined ? {} : { parent }),
    skills,
    accepts,
    broadcasts: options.broadcasts ?? kind === 'agent',
    process: options.process ?? host.processes.self(),
    ...(tmux === undefined ? {} : { tmux }),
    joinedAt: isoTime(host.clock.now()),
  };
}

/** Marks the actor as gone. Its mail is kept, and it can join again. */
export async function leaveRoom(context: RoomContext, address: string): Promise<void> {
  context.standing.assertSame();
  const card = assertJoined(context, address);
  await retireCard(context.host, context.layout, { card, leftAt: isoTime(context.host.clock.now()) });
  context.log.append({ event: 'left', from: address });
}

/** The error for an actor that has a directory but no mailbox, so that nothing can be delivered to it or read. */
export function noMailbox({ host, layout }: RoomContext, address: string): ActorNotFound {
  const isCardThere = readCard(host, layout, address) !== undefined;
  return new ActorNotFound(
    `${address} has no mailbox: ${actorLayout(layout, address).mailbox.new} is not a directory.`,
    {
      address,
      hint: isCardThere
        ? 'Make it again with: mailroom doctor --fix'
        : `Complete the join that was interrupted: mailroom join ${address}`,
    },
  );
}

/** The card of an actor that has joined, whether or not it is live. Throws `ActorNotFound`, with the nearest name. */
export function assertJoined(context: RoomContext, address: string): Card {
  const card = actorLayout(context.layout, address) && readCard(context.host, context.layout, address);
  if (card) return card;
  // A directory without a card is of no use as a suggestion.
  const near = nearest(
    address,
    listAddresses(context).filter((one) => one !== address),
  );
  throw new ActorNotFound(`Nobody has joined this room as ${address}.`, {
    address,
    nearest: near,
    hint: near ? `Did you mean ${near}?` : `Join first: mailroom join ${newAddressLike(address)}`,
  });
}
