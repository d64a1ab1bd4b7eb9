import type { Message } from '../message/message.ts';
import { visible } from '../message/visible.ts';
import type { Mail } from '../room/mail.ts';
import type { Call } from './command.ts';
import { EXIT_FAILURE, EXIT_OK, exitCodeOf } from './exit-code.ts';
import { OutputClosed } from './output.ts';
import { messageJson, messageText, shortId } from './show-message.ts';

interface Printed {
  readonly message: Message;
  /** The claim on it; undefined for one that was acknowledged before. */
  readonly mail: Mail | undefined;
}

/**
 * Prints messages and acknowledges each one whose text was taken by whoever reads the output. What was not taken is
 * released, so that it waits again.
 */
export async function printMail(call: Call, mails: readonly Printed[], { hold }: { hold: boolean }): Promise<number> {
  const nowMs = call.host.clock.now();
  // A JSON array can only be printed whole.
  const batches = call.isJson ? [mails] : mails.map((one) => [one]);
  const left = new Set(mails);
  let code = EXIT_OK;
  try {
    for (const batch of batches) {
      if (call.isJson) await call.output.json(batch.map(asJson));
      else
        for (const one of batch)
          await call.output.data(messageText(one.message, { nowMs, attempt: one.mail?.attempt ?? 1 }));
      for (const one of batch) {
        left.delete(one);
        if (!hold) code = (await settle(call, one.mail, 'ack')) || code;
      }
    }
  } catch (error) {
    for (const { mail } of left) await settle(call, mail, 'release');
    if (!(error instanceof OutputClosed)) throw error;
    await call.output.talk(
      `The output was closed; ${left.size} of ${mails.length} messages were not printed and wait again.\n`,
    );
    return left.size > 0 ? EXIT_FAILURE : EXIT_OK;
  }
  if (hold) await tellHeld(call, mails);
  return code;
}

async function settle({ output }: Call, mail: Mail | undefined, how: 'ack' | 'release'): Promise<number> {
  try {
    await mail?.[how]();
    return EXIT_OK;
  } catch (error) {
    await output.talk(`mailroom: ${visible(error instanceof Error ? error.message : String(error))}\n`);
    return exitCodeOf(error);
  }
}

function asJson({ message, mail }: Printed): unknown {
  const lease = mail ? { attempt: mail.attempt, leaseEndsAt: new Date(mail.leaseEndsAtMs).toISOString() } : {};
  return { ...messageJson(message), ...lease };
}

async function tellHeld({ isJson, output }: Call, mails: readonly Printed[]): Promise<void> {
  const held = mails.filter(({ mail }) => mail !== undefined);
  if (held.length === 0 || isJson) return;
  const until = Math.min(...held.map(({ mail }) => mail?.leaseEndsAtMs ?? Infinity));
  const ids = held.map(({ message }) => shortId(message.id)).join(' ');
  await output.advise(`Held until ${new Date(until).toISOString()}. When it is dealt with: mailroom ack ${ids}\n`);
}
