import type { PresetName } from './presets.ts';

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
