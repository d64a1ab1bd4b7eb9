import { Conflict } from '../errors.ts';
import { createSendOrder } from '../mailbox/send-order.ts';
import { STOP } from '../workflow/control.ts';
import { SYSTEM } from '../message/address.ts';
import { createIdSource } from '../message/message-id.ts';
import { mailboxOf, type RoomContext } from '../room/context.ts';
import { messageOf } from '../room/draft.ts';
import { deliverAndLog, type SendReport } from '../room/deliver-and-log.ts';
import { sealMessage } from '../signing/seal.ts';
import { workflowsIn, noWorkflow } from '../journal/list.ts';

/**
 * Sends STOP to a workflow: it ends after its current step, and its children with it. A workflow without a host ends as soon as it
 * is run. The STOP is signed by the room itself, or with the workflow's own key if each actor has a key: the owner of the workflow
 * may end it. Throws ActorNotFound if there is no such workflow, Conflict if it has ended, and what a send throws.
 */
export async function stopWorkflow(
  context: RoomContext,
  address: string,
  { by }: { readonly by?: string | undefined } = {},
): Promise<SendReport> {
  const { host, keyring, config, durability } = context;
  const [found] = workflowsIn(context, address);
  const mailbox = found && mailboxOf(context, address);
  if (!mailbox) throw noWorkflow(context, address);
  if (found.state && found.state.status !== 'active') {
    throw new Conflict(`The workflow ${address} has already ended: ${found.state.status}.`, {
      hint: `See how: mailroom why ${address}`,
    });
  }
  const from = keyring.algorithm === 'hmac-sha256' ? SYSTEM : address;
  const id = createIdSource(host.randomBytes).next(host.clock.now());
  const content = by === undefined ? 'Stop.' : `${by} asks you to stop.`;
  const draft = { type: STOP, content, data: by === undefined ? {} : { by } };
  const message = messageOf(context, { id, from, to: [address], draft });
  const sealed = sealMessage(message, { key: keyring.signerOf(from), limits: config.limits });
  const report = await deliverAndLog(context, {
    sealed,
    recipients: [mailbox],
    durability,
    repeat: false,
    slot: createSendOrder()(),
  });
  const outcome = report.outcomes[address];
  if (outcome && outcome.outcome !== 'delivered') throw outcome.error;
  return report;
}
