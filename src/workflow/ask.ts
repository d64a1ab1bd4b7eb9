import type { MailSchema, OutputOf } from './accepts.ts';
import { durableLogic, type DurableLogic } from './activity.ts';
import type { Outgoing } from './send.ts';

/** The output of an `ask`: the answer of the actor that was asked. */
export interface Answer<TData = unknown> {
  /** The message type of the answer. */
  readonly type: string;
  /** The verified sender. */
  readonly from: string;
  /** Text for a reader. */
  readonly content: string;
  /** The id of the answer. */
  readonly messageId: string;
  /** What the schema of the answer returned for its `data`; without a schema, the `data` itself. */
  readonly data: TData;
}

/** What `ask` was given, for the runtime. */
export interface Ask {
  /** Tells an ask from other work. */
  readonly kind: 'ask';
  /** The address to ask, or how it is made from the invoke's input. */
  readonly to: string | ((input: unknown) => string);
  /** How the question is made from the invoke's input. */
  readonly question: ((input: unknown) => Outgoing) | undefined;
  /** The schema of the answer's `data`. */
  readonly answer: MailSchema | undefined;
}

/** What an `ask` sends, and which answer it takes. */
export interface AskOptions<TInput, TSchema extends MailSchema> {
  /** Makes the question from the invoke's input. Default: the input is the question. */
  readonly question?: (input: TInput) => Outgoing;
  /** The schema of the answer's `data`. An answer that does not fit becomes a dead letter, and the ask keeps waiting. Default: any data. */
  readonly answer?: TSchema;
}

/**
 * A question that a machine invokes. It is sent to one actor and is done when that actor replies to it; replies of others are
 * ignored. It fails if the question cannot be delivered. It has no time limit of its own: use `after`.
 *
 * @param to The address to ask, or how to get it from the invoke's input.
 * @param options What is asked, and the schema of the answer.
 *
 * @example
 * ```ts
 * import { ask } from 'agent-mailroom/workflow';
 * import { setup } from 'xstate';
 * import { z } from 'zod';
 *
 * export const machine = setup({
 *   actors: {
 *     approve: ask('alice', {
 *       question: ({ branch }: { branch: string }) => ({ type: 'QUESTION', content: `May I merge ${branch}?` }),
 *       answer: z.object({ approved: z.boolean() }),
 *     }),
 *   },
 * }).createMachine({
 *   id: 'merge',
 *   initial: 'asking',
 *   states: {
 *     asking: {
 *       invoke: {
 *         src: 'approve',
 *         input: { branch: 'add-port' },
 *         onDone: [{ guard: ({ event }) => event.output.data.approved, target: 'approved' }, { target: 'refused' }],
 *         onError: 'refused',
 *       },
 *       after: { 3_600_000: 'refused' },
 *     },
 *     approved: { type: 'final' },
 *     refused: { type: 'final' },
 *   },
 * });
 * ```
 */
export function ask<TInput = Outgoing, TSchema extends MailSchema = MailSchema>(
  to: string | ((input: TInput) => string),
  { question, answer }: AskOptions<TInput, TSchema> = {},
): DurableLogic<TInput, Answer<OutputOf<TSchema>>, Ask> {
  // The machine of this logic made the input, so the input has the type that the author declared.
  const work = { kind: 'ask', to, question, answer } as Ask;
  return durableLogic(work);
}
