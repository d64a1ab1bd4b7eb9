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
  /** What hooks keep of the sessions that they run in. */
  readonly sessions: string;
  readonly logDirectory: string;
  readonly log: string;
  /** Where `init` and `join` write what they then link or rename into place. */
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
  /** What its host is in the middle of, while that lasts long. */
  readonly step: string;
  readonly jobs: string;
  /** What an adapter keeps that hands the actor's mail to a command. */
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
  /** Under which ids this actor has answered, a directory for each day of the questions. */
  readonly replies: string;
  readonly purgedThrough: string;
  readonly purgeClock: string;
}

/** Throws `InvalidInput` for what is no address, so that nothing outside the room is ever named. */
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
  /** The mail that it was shown and that is not acknowledged yet, a record under each message's name. */
  readonly shown: string;
  /** Empty; there while a subagent may be at work whose hooks are not told apart from the session's own. */
  readonly subagent: string;
  /** The id of a turn; there from a prompt until something says that the model has run with it, and behind a turn that was interrupted. */
  readonly prompted: string;
  /** Which process waits for mail to wake it, and how often it was woken since a person's last prompt. */
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
/** Numbers as they are written, so that the name can be made again from what was read in it. */
const CLAIM = /^(.+\.json),(0|[1-9]\d{0,5}),(0|[1-9]\d{0,14})$/;

export interface MessageName {
  readonly id: string;
  readonly from: string;
}

/** `<id>.<from>.json` */
export function messageFileName({ id, from }: MessageName): string {
  return `${id}.${from}${NAME_END}`;
}

/** What a message file's name says; undefined when it is none. */
export function parseMessageFileName(name: string): MessageName | undefined {
  if (!name.endsWith(NAME_END) || name[ID_CHARS] !== '.') return undefined;
  const id = name.slice(0, ID_CHARS);
  const from = name.slice(ID_CHARS + 1, -NAME_END.length);
  return isMessageId(id) && isAddress(from) ? { id, from } : undefined;
}

/** What would be the sender in a message's name, without a look whether it is one: for counting very many. */
export function senderInName(name: string): string {
  return name.slice(ID_CHARS + 1, -NAME_END.length);
}

/** The state of a claim, held in its file name alone: `<message name>,<attempt>,<until-ms>`. */
export interface ClaimName {
  readonly name: string;
  /** 1 for the first claim; 0 for a dead letter that was put back. */
  readonly attempt: number;
  /** Ms since the epoch at which the lease ends; 0 when it was released. */
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

/** The record of an answer: which message it answers, and the hash of what it says. */
export function replyRecordName(answered: string, hash: string): string {
  return `${answered}.${hash}.json`;
}

const REASON_END = '.why.json';

/** The reason file beside a dead letter, whose name or path is given. */
export function reasonFileName(letter: string): string {
  return `${letter}${REASON_END}`;
}

export function isReasonFileName(name: string): boolean {
  return name.endsWith(REASON_END);
}

/** The letter that a reason file is beside. */
export function letterOfReason(reason: string): string {
  return reason.slice(0, -REASON_END.length);
}
