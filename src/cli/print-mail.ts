import type { Message } from '../message/message.ts';
import { formatTime } from '../message/format-time.ts';
import { visible } from '../message/visible.ts';
import type { Mail } from '../room/mail.ts';
import type { Call } from './command.ts';
import { EXIT_FAILURE, EXIT_OK } from './exit-code.ts';
import { fittedJson, fittedText, type Fitted } from './fit-message.ts';
import { OutputClosed } from './output.ts';
import { shortId } from './show-message.ts';

/** A message as it will be printed. */
export interface Printed {
  readonly message: Message;
  /** The claim on it; undefined for one that was acknowledged before. */
  readonly mail: Mail | undefined;
  readonly fitted: Fitted<string | object>;
  /** Whether it stays held when it was printed. */
  readonly isHeld: boolean;
  /** Whether this command has claimed it. */
  readonly isOwn: boolean;
}

/** What is printed of a message in at most `bytesMax` bytes. */
export function fit(
  call: Call,
  { message, mail, bytesMax }: Pick<Printed, 'message' | 'mail'> & { bytesMax: number },
): Printed['fitted'] {
  if (call.isJson) {
    const lease = mail ? { attempt: mail.attempt, leaseEndsAt: new Date(mail.leaseEndsAtMs).toISOString() } : {};
    return fittedJson(message, lease, bytesMax);
  }
  const rest = call.pasteable(wholeCommand(call, message));
  return fittedText(message, { nowMs: call.host.clock.now(), attempt: mail?.attempt ?? 1, bytesMax, rest });
}

/** The command that prints all of a message that this one prints a part of. */
function wholeCommand({ args }: Call, { id }: Message): string {
  return `mailroom read ${shortId(id)} --all${args.options.has('hold') ? ' --hold' : ''}`;
}

/**
 * Prints messages and acknowledges each one whose text was taken by whoever reads the output, unless it is held, or printed in part.
 * What was not taken is released, so that it waits again. Throws the first error of a claim when all are printed.
 */
export async function printMail(call: Call, mails: readonly Printed[]): Promise<number> {
  // A JSON array can only be printed whole.
  const batches = call.isJson ? [mails] : mails.map((one) => [one]);
  const left = new Set(mails);
  const errors: unknown[] = [];
  try {
    for (const batch of batches) {
      if (call.isJson) await call.output.json(batch.map(({ fitted }) => fitted.shown));
      else for (const { fitted } of batch) await call.output.data(fitted.shown as string);
      for (const one of batch) {
        left.delete(one);
        errors.push(...(await settle(one)));
      }
    }
  } catch (error) {
    for (const { mail, isOwn } of left) if (isOwn) await mail?.putBack().catch((one) => errors.push(one));
    for (const one of errors) await tell(call, one);
    if (!(error instanceof OutputClosed)) throw error;
    await call.output.talk(
      `The output was closed; ${left.size} of ${mails.length} messages were not printed and wait again.\n`,
    );
    return left.size > 0 ? EXIT_FAILURE : EXIT_OK;
  }
  await tellCut(call, mails);
  await tellHeld(call, mails);
  for (const one of errors.slice(1)) await tell(call, one);
  if (errors.length > 0) throw errors[0];
  return EXIT_OK;
}

/** What becomes of a claim whose message was printed. Returns what went wrong with it, if anything did. */
async function settle({ mail, fitted, isHeld, isOwn }: Printed): Promise<unknown[]> {
  try {
    if (fitted.isCut) {
      if (isOwn) await mail?.keepInPart();
    } else if (!isHeld) await mail?.ack();
    return [];
  } catch (error) {
    return [error];
  }
}

async function tell({ output }: Call, error: unknown): Promise<void> {
  await output.talk(`mailroom: ${visible(error instanceof Error ? error.message : String(error))}\n`);
}

/** In JSON nothing else says how to get the rest; a text says so itself. */
async function tellCut(call: Call, mails: readonly Printed[]): Promise<void> {
  for (const { message, fitted } of call.isJson ? mails : []) {
    if (!fitted.isCut) continue;
    await call.output.advise(`${shortId(message.id)} is printed in part. All of it: ${wholeCommand(call, message)}\n`);
  }
}

async function tellHeld({ isJson, output }: Call, mails: readonly Printed[]): Promise<void> {
  const held = mails.filter(({ mail, fitted, isHeld }) => mail !== undefined && isHeld && !fitted.isCut);
  if (held.length === 0 || isJson) return;
  const until = Math.min(...held.map(({ mail }) => mail?.leaseEndsAtMs ?? Infinity));
  const ids = held.map(({ message }) => shortId(message.id)).join(' ');
  await output.advise(`Held until ${formatTime(until)}. When it is dealt with: mailroom ack ${ids}\n`);
}
