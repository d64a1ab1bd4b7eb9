import type { Clock } from '../host/host.ts';
import { readVerified } from '../mailbox/find.ts';
import type { Agent } from '../room/agent.ts';
import { mailboxOf } from '../room/context.ts';
import { iterateInbox } from '../room/inbox.ts';
import type { Mail } from '../room/mail.ts';
import { contextOf, type Room } from '../room/room.ts';
import { toRoomError } from '../room/system-errors.ts';
import type { Call } from './command.ts';
import { fit, type Printed } from './print/mail.ts';

/** Most bytes printed for one byte of a file (a control character), and for the facts printed beside a message. */
const PRINTED_PER_BYTE_MAX = 6;
const FACTS_BYTES_MAX = 1024;

/** The mail that one command prints. */
export interface Portion {
  /** Oldest first. */
  readonly printed: readonly Printed[];
  /** Claims the waiting messages that fit. */
  take(): Promise<void>;
  /** Waits up to `waitMs` for one message, and claims it. */
  waitForOne(waitMs: number, signal: AbortSignal): Promise<void>;
  /** Whether there may be more mail that did not fit. */
  isFull(): boolean;
  /** Throws the error that kept other messages from being read, if there was one. */
  assertComplete(): void;
}

/**
 * The first `limit` waiting messages, as far as they can be printed in `bytesMax` bytes. Only the first message may be
 * larger, and is then cut; the first other message that does not fit, and all after it, stay where they are.
 */
export function createPortion(
  call: Call,
  options: { agent: Agent; room: Room; limit: number; bytesMax: number; leaseMs: number | undefined },
): Portion {
  const { agent, room, limit, bytesMax, leaseMs } = options;
  const context = contextOf(room);
  const mailbox = mailboxOf(context, agent.address);
  if (!mailbox) throw new Error(`${agent.address} has no mailbox.`);
  const printed: Printed[] = [];
  const passedOver = new Map<string, unknown>();
  const isHeld = call.args.options.has('hold');
  let left = bytesMax - Buffer.byteLength('[]\n');
  let isFull = false;
  let broken: { readonly error: unknown } | undefined;

  const fits = (message: Printed['message']): boolean =>
    !fit(call, { message, mail: undefined, bytesMax: left - FACTS_BYTES_MAX }).isCut;
  const wants = ({ path, name }: { path: string; name: string }): boolean => {
    if (printed.length === 0) return true;
    const size = context.host.files.lstat(path)?.size ?? 0;
    if (size * PRINTED_PER_BYTE_MAX + FACTS_BYTES_MAX <= left) return true;
    const found = readVerified(mailbox, { path, name });
    isFull = found !== undefined && 'message' in found && !fits(found.message);
    return !isFull;
  };
  const add = (mail: Mail): void => {
    const { message } = mail;
    const fitted = fit(call, { message, mail, bytesMax: left });
    left -= fitted.bytes;
    printed.push({ message, mail, fitted, isHeld, isOwn: true });
    isFull = fitted.isCut || printed.length === limit;
  };
  const iterate = async (how: { wait: boolean; countMax: number; signal?: AbortSignal }): Promise<void> => {
    let count = 0;
    try {
      const noted = (name: string, error: unknown): unknown => passedOver.set(name, error);
      for await (const mail of iterateInbox(context, mailbox, { ...how, leaseMs, wants, passedOver: noted })) {
        add(mail);
        count += 1;
        if (isFull || count === how.countMax) return;
      }
    } catch (error) {
      if (printed.length === 0) throw error;
      broken = { error };
    }
  };
  return {
    printed,
    take: async () => {
      if (!isFull && !broken) await iterate({ wait: false, countMax: Infinity });
      printed.sort((a, b) => (a.message.id < b.message.id ? -1 : 1));
    },
    waitForOne: async (waitMs, signal) => {
      await within(context.host.clock, waitMs, (isOver) =>
        iterate({ wait: true, countMax: 1, signal: AbortSignal.any([signal, isOver]) }),
      );
    },
    isFull: () => isFull,
    assertComplete: () => {
      if (broken) throw broken.error;
      const [first] = passedOver.values();
      if (first === undefined) return;
      const count = passedOver.size === 1 ? '1 message' : `${passedOver.size} messages`;
      throw toRoomError(context, `${count} of ${agent.address} could not be read now and wait`, first);
    },
  };
}

/** Does the work, with a signal that aborts after `waitMs`. */
async function within(clock: Clock, waitMs: number, work: (isOver: AbortSignal) => Promise<void>): Promise<void> {
  const end = new AbortController();
  const over = clock.sleep(waitMs, end.signal).then(() => end.abort());
  try {
    await work(end.signal);
  } finally {
    end.abort();
    await over;
  }
}
