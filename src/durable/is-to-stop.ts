import { STOP } from '../machine/control.ts';
import { receive, type ReceiveOptions } from '../machine/receive.ts';
import { peek } from '../mailbox/peek.ts';
import { mailboxOf, type RoomContext } from '../room/context.ts';

/** Whether a STOP waits in its mailbox that whoever runs it will take. A look; nothing is moved. */
export function isToStop(context: RoomContext, options: ReceiveOptions): boolean {
  const mailbox = mailboxOf(context, options.address);
  if (!mailbox) return false;
  const { unsettled } = peek(mailbox, { limit: Infinity });
  return unsettled.some(({ message }) => message.type === STOP && 'cause' in receive(message, options));
}
