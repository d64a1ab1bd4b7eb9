import type { Message } from '../message/message.ts';
import type { PresetName } from './presets.ts';
import type { Answer } from './records.ts';

/** What the command reads on its standard input: the message framed for a model, all of it as JSON, or its bare text. */
export type StdinForm = 'prompt' | 'json' | 'content';

/** The program that answers for an agent. */
export type AgentCommand =
  | { readonly kind: 'shell'; readonly line: string; readonly stdin: StdinForm }
  | { readonly kind: 'preset'; readonly preset: PresetName; readonly args: readonly string[] };

/** How an agent answers its mail. */
export interface AgentSettings {
  readonly command: AgentCommand;
  /** Where the command runs, absolute. */
  readonly cwd: string;
  /** A directory that the user trusts, absolute; a preset whose program asks for trust runs in it without asking. */
  readonly trustDirectory?: string | undefined;
  /** Further types that are handed to the command, beyond QUESTION and REVIEW-REQUEST. */
  readonly types: ReadonlySet<string>;
  /** How long one run may take, in ms. */
  readonly timeoutMs: number;
  /** How long a run may write nothing, in ms; the preset's when not given. */
  readonly idleTimeoutMs?: number | undefined;
  /** How long a program may take to leave by itself once it has answered, in ms. Default: 5 s. */
  readonly leaveMs?: number | undefined;
  /** How much a run may write on one stream. */
  readonly outputBytesMax: number;
  /** How often the command may fail at one message. */
  readonly triesMax: number;
  /** The wait after a first failure, in ms; four times as long after each further one. */
  readonly backoffMs: number;
}

/** How the session of a conversation is kept apart from those of other programs; undefined for a program without. */
export function toolOf(command: AgentCommand): string {
  return command.kind === 'preset' ? command.preset : 'shell';
}

/** Whether the command is given a text for a model, which is bounded; what a program parses is whole. */
export function readsPrompt(command: AgentCommand): boolean {
  return command.kind === 'preset' || command.stdin === 'prompt';
}

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
