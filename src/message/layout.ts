import { assertAddress, isAddress } from './address.ts';
import { isMessageId } from './message-id.ts';

/** The only module that turns addresses and ids into file names, and back. */

export const ROOM_DIRECTORY = '.mailroom';

export interface RoomLayout {
  readonly directory: string;
  readonly config: string;
  readonly gitignore: string;
  readonly keys: string;
  readonly roomKey: string;
  readonly publicKeys: string;
  readonly actors: string;
  /** What hooks record about the sessions they run in. */
  readonly sessions: string;
  readonly logDirectory: string;
  readonly log: string;
  /** Where `init` and `join` stage files before linking or renaming them into place. */
  readonly tmp: string;
}

export function roomLayout(directory: string): RoomLayout {
  const keys = `${directory}/keys`;
  const logDirectory = `${directory}/log`;
  return {
    directory,
    config: `${directory}/room.json`,
    gitignore: `${directory}/.gitignore`,
    keys,
    roomKey: `${keys}/room.key`,
    publicKeys: `${keys}/pub`,
    actors: `${directory}/actors`,
    sessions: `${directory}/sessions`,
    logDirectory,
    log: `${logDirectory}/agent_messages.log`,
    tmp: `${directory}/tmp`,
  };
}

export interface ActorLayout {
  readonly directory: string;
  readonly card: string;
  readonly seen: string;
  readonly nudged: string;
  readonly journal: string;
  /** What the host is working on, written while a step takes long. */
  readonly step: string;
  readonly jobs: string;
  /** State of the adapter that hands the actor's mail to a command. */
  readonly agent: AgentLayout;
  readonly privateKey: string;
  readonly publicKey: string;
  readonly mailbox: MailboxLayout;
}

export interface AgentLayout {
  readonly directory: string;
  readonly questions: string;
  readonly threads: string;
  readonly context: string;
}

export interface MailboxLayout {
  readonly directory: string;
  readonly tmp: string;
  readonly new: string;
  readonly cur: string;
  readonly done: string;
  readonly dead: string;
  readonly refused: string;
  /** Ids of this actor's replies, a directory for each day of the messages replied to. */
  readonly replies: string;
  readonly purgedThrough: string;
  readonly purgeClock: string;
}

/** Throws `InvalidInput` for an invalid address, so that no path outside the room is ever built. */
export function actorLayout(room: RoomLayout, address: string): ActorLayout {
  assertAddress(address);
  const directory = `${room.actors}/${address}`;
  const mailbox = `${directory}/mailbox`;
  const dead = `${mailbox}/dead`;
  const agent = `${directory}/agent`;
  return {
    directory,
    card: `${directory}/card.json`,
    seen: `${directory}/seen`,
    nudged: `${directory}/nudged`,
    journal: `${directory}/journal`,
    step: `${directory}/step`,
    jobs: `${directory}/jobs`,
    agent: {
      directory: agent,
      questions: `${agent}/questions`,
      threads: `${agent}/threads`,
      context: `${agent}/context`,
    },
    privateKey: `${room.keys}/${address}.key`,
    publicKey: `${room.publicKeys}/${address}`,
    mailbox: {
      directory: mailbox,
      tmp: `${mailbox}/tmp`,
      new: `${mailbox}/new`,
      cur: `${mailbox}/cur`,
      done: `${mailbox}/done`,
      dead,
      refused: `${dead}/refused`,
      replies: `${mailbox}/replies`,
      purgedThrough: `${mailbox}/purged-through`,
      purgeClock: `${mailbox}/purge-clock`,
    },
  };
}

export interface SessionLayout {
  readonly directory: string;
  /** Whose session it is, and in which process; its mtime is when a hook last ran in it. */
  readonly record: string;
  /** The mail that the session was shown and has not acknowledged yet, one record per message name. */
  readonly shown: string;
  /** Empty; exists while a subagent may be running whose hooks cannot be told apart from the session's own. */
  readonly subagent: string;
  /**
   * The id of a turn; exists from a prompt until the model is known to have run with it, and after a turn that was
   * interrupted.
   */
  readonly prompted: string;
  /** Which process waits for mail to wake the session, and how often it has done so since a person's last prompt. */
  readonly waiter: string;
}

/** `key` is `<program>-<id of the session>`, percent-encoded. */
export function sessionLayout(room: RoomLayout, key: string): SessionLayout {
  const directory = `${room.sessions}/${key}`;
  return {
    directory,
    record: `${directory}/session.json`,
    shown: `${directory}/shown`,
    subagent: `${directory}/subagent`,
    prompted: `${directory}/prompted`,
    waiter: `${directory}/waiter.json`,
  };
}

const ID_CHARS = 36;
const NAME_END = '.json';
/** Numbers in canonical form, so that the name can be rebuilt from what was parsed. */
const CLAIM = /^(.+\.json),(0|[1-9]\d{0,5}),(0|[1-9]\d{0,14})$/;

export interface MessageName {
  readonly id: string;
  readonly from: string;
}

/** `<id>.<from>.json` */
export function messageFileName({ id, from }: MessageName): string {
  return `${id}.${from}${NAME_END}`;
}

/** Parses a message file's name; undefined if it is not one. */
export function parseMessageFileName(name: string): MessageName | undefined {
  if (!name.endsWith(NAME_END) || name[ID_CHARS] !== '.') return undefined;
  const id = name.slice(0, ID_CHARS);
  const from = name.slice(ID_CHARS + 1, -NAME_END.length);
  return isMessageId(id) && isAddress(from) ? { id, from } : undefined;
}

/** The part of a message's name where the sender is, unchecked: for counting very many names. */
export function senderInName(name: string): string {
  return name.slice(ID_CHARS + 1, -NAME_END.length);
}

/** The state of a claim, held in its file name alone: `<message name>,<attempt>,<until-ms>`. */
export interface ClaimName {
  readonly name: string;
  /** 1 for the first claim; 0 for a dead letter that was put back, and for a message shown only in part. */
  readonly attempt: number;
  /** When the lease ends, in ms since the epoch; 0 if the claim was released. */
  readonly untilMs: number;
}

export function claimFileName({ name, attempt, untilMs }: ClaimName): string {
  return `${name},${attempt},${untilMs}`;
}

export function parseClaimFileName(fileName: string): ClaimName | undefined {
  const match = CLAIM.exec(fileName);
  if (!match?.[1] || !parseMessageFileName(match[1])) return undefined;
  return { name: match[1], attempt: Number(match[2]), untilMs: Number(match[3]) };
}

/** The name of a reply record: the message it replies to, and the hash of its content. */
export function replyRecordName(answered: string, hash: string): string {
  return `${answered}.${hash}.json`;
}

const REASON_END = '.why.json';

/** The reason file beside a dead letter, given by name or path. */
export function reasonFileName(letter: string): string {
  return `${letter}${REASON_END}`;
}

export function isReasonFileName(name: string): boolean {
  return name.endsWith(REASON_END);
}

/** The letter that a reason file belongs to. */
export function letterOfReason(reason: string): string {
  return reason.slice(0, -REASON_END.length);
}
