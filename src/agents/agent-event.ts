import type { Message } from '../message/message.ts';
import type { Answer } from './question-record.ts';

/** What an agent does, for whoever watches it; nothing depends on it. */
export type AgentEvent =
  | { readonly kind: 'asked'; readonly message: Message; readonly round: number }
  /** The session of its conversation cannot be resumed; another one is begun with so many earlier messages. */
  | { readonly kind: 'restarted'; readonly message: Message; readonly retold: number }
  | { readonly kind: 'answered'; readonly message: Message; readonly answer: Answer }
  /** The command failed; the message was given back for so long. */
  | {
      readonly kind: 'failed';
      readonly message: Message;
      readonly why: string;
      readonly failures: number;
      readonly retryInMs: number;
    }
  /** It needs no answer and is told with the next question. */
  | { readonly kind: 'context'; readonly message: Message }
  /** There is an answer, and it cannot be delivered now, or ever. */
  | { readonly kind: 'postponed' | 'undeliverable'; readonly message: Message; readonly why: string }
  /** Its answer was delivered; it is not acknowledged here, or what was kept of it is not removed yet. */
  | { readonly kind: 'unsettled' | 'untidy'; readonly message: Message; readonly why: string }
  /** Somebody else has it, or has dealt with it. */
  | { readonly kind: 'lost'; readonly message: Message; readonly why: string }
  /** Something else went wrong with a message; it comes back. */
  | { readonly kind: 'trouble'; readonly message: Message; readonly why: string };
