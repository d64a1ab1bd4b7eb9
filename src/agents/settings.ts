import type { Message } from '../message/message.ts';
import type { PresetName } from './presets.ts';
import type { AgentReply } from './records.ts';

/** What a shell command reads on its standard input: the message as a prompt for a model, all of it as JSON, or only its content. */
export type StdinForm = 'prompt' | 'json' | 'content';

/** The program that answers mail: a shell command line, or a preset with the user's arguments. */
export type AgentCommand =
  /** A command line for the shell. */
  | {
      readonly kind: 'shell';
      /** The command line. */
      readonly line: string;
      /** What the command reads on its standard input. */
      readonly stdin: StdinForm;
    }
  /** A command line of a model that Mailroom knows. */
  | {
      readonly kind: 'preset';
      /** The name of the preset. */
      readonly preset: PresetName;
      /** Arguments in addition to those of the preset. */
      readonly args: readonly string[];
    };

/** How an agent answers its mail. */
export interface AgentSettings {
  /** The program that answers. */
  readonly command: AgentCommand;
  /** The working directory of the program, absolute. */
  readonly cwd: string;
  /** A directory in which a preset's program may run without asking for trust, absolute. Default: none. */
  readonly trustDirectory?: string | undefined;
  /** The message types that the program answers in addition to `QUESTION` and `REVIEW-REQUEST`. */
  readonly types: ReadonlySet<string>;
  /** How long one run may take, in ms. */
  readonly timeoutMs: number;
  /** How long a run may make no progress, in ms. Default: the preset's. */
  readonly idleTimeoutMs?: number | undefined;
  /** How long a program may take to exit after it has answered, in ms. Default: 5 s. */
  readonly leaveMs?: number | undefined;
  /** How much a run may write to one stream, in bytes. */
  readonly outputBytesMax: number;
  /** How many times the program may fail on one message. */
  readonly triesMax: number;
  /** How long to wait after the first failure, in ms; each further wait is four times as long. */
  readonly backoffMs: number;
}

/** The name that keeps the sessions of different programs apart: the preset's, or `shell`. */
export function toolOf(command: AgentCommand): string {
  return command.kind === 'preset' ? command.preset : 'shell';
}

/** Whether the command reads a prompt for a model, whose size is bounded; JSON and plain content are passed whole. */
export function readsPrompt(command: AgentCommand): boolean {
  return command.kind === 'preset' || command.stdin === 'prompt';
}

/** What an agent reports while it runs. `message` is the message that it is about; `why` is a sentence for people. */
export type AgentEvent =
  /** The program is asked, for the `round`-th time. */
  | { readonly kind: 'asked'; readonly message: Message; readonly round: number }
  /** The session of the conversation could not be resumed: a new one starts with `retold` earlier messages. */
  | { readonly kind: 'restarted'; readonly message: Message; readonly retold: number }
  /** The answer was delivered. */
  | { readonly kind: 'answered'; readonly message: Message; readonly answer: AgentReply }
  /** The program failed, for the `failures`-th time; the message is retried after `retryInMs`. */
  | {
      readonly kind: 'failed';
      readonly message: Message;
      readonly why: string;
      readonly failures: number;
      readonly retryInMs: number;
    }
  /** The message needs no answer; it is shown with the next question. */
  | { readonly kind: 'context'; readonly message: Message }
  /** There is an answer that cannot be delivered: `postponed` is retried, `undeliverable` is not. */
  | { readonly kind: 'postponed' | 'undeliverable'; readonly message: Message; readonly why: string }
  /** The answer was delivered, but the message is not acknowledged (`unsettled`) or its records are not removed (`untidy`). */
  | { readonly kind: 'unsettled' | 'untidy'; readonly message: Message; readonly why: string }
  /** Another process has taken over the message, or has handled it. */
  | { readonly kind: 'lost'; readonly message: Message; readonly why: string }
  /** Another error; the message is retried. */
  | { readonly kind: 'trouble'; readonly message: Message; readonly why: string };
