import type { MailSchema, OutputOf } from './accepts.ts';
import { durableLogic, type DurableLogic } from './activity.ts';
import type { Outgoing } from './send.ts';

/** What comes back from an ask: the answer, and who verifiably gave it. */
export interface Answer<TData = unknown> {
  readonly type: string;
  readonly from: string;
  readonly content: string;
  readonly messageId: string;
  readonly data: TData;
}

export interface Ask {
  readonly kind: 'ask';
  readonly to: string | ((input: unknown) => string);
  readonly question: ((input: unknown) => Outgoing) | undefined;
  readonly answer: MailSchema | undefined;
}

export interface AskOptions<TInput, TSchema extends MailSchema> {
  /** The message that is sent, made from the invoke's input; when not given, the input is the message. */
  readonly question?: (input: TInput) => Outgoing;
  /** What the answer's `data` must be. An answer that is not is kept as a dead letter, and the ask goes on waiting. */
  readonly answer?: TSchema;
}

/**
 * A question that a machine invokes: sent to one actor, done when that actor answers it (`mailroom reply <id>`), failed
 * when it cannot be delivered. Nobody else's answer counts. How long to wait is the machine's business: `after`.
 */
export function ask<TInput = Outgoing, TSchema extends MailSchema = MailSchema>(
  to: string | ((input: TInput) => string),
  { question, answer }: AskOptions<TInput, TSchema> = {},
): DurableLogic<TInput, Answer<OutputOf<TSchema>>, Ask> {
  // The machine of this logic made the input, so the input has the type that the author declared.
  const work = { kind: 'ask', to, question, answer } as Ask;
  return durableLogic(work);
}
