import { resolve } from 'node:path';
import type { Host } from '../host/host.ts';
import type { JobSpec } from '../jobs/job.ts';
import { visible } from '../message/visible.ts';
import type { RoomContext } from '../room/context.ts';
import { type Expansion, missingOf, type Preset } from './preset.ts';
import { presetOf } from './presets.ts';
import { correctionOf, promptOf, type AgentTask, taskJson } from './prompt.ts';
import { threadOf } from './question.ts';
import type { AgentSettings } from './settings.ts';

/** How the command is run for one round. */
export interface Invocation {
  readonly spec: JobSpec;
  /** The text that must be in the prompt file before the command runs. Undefined: no file is needed. */
  readonly prompt?: string;
  readonly resumes: boolean;
}

export interface InvocationOptions {
  readonly settings: AgentSettings;
  readonly task: AgentTask;
  /** The session to resume. */
  readonly session: string | undefined;
  /** A file for the prompt, and a history file of the thread. */
  readonly paths: { readonly prompt: string; readonly history: string };
}

export function invocationOf(context: RoomContext, options: InvocationOptions): Invocation {
  const { settings, task } = options;
  const { command, cwd, timeoutMs, outputBytesMax } = settings;
  const preset = command.kind === 'preset' ? presetOf(command.preset) : undefined;
  const idleTimeoutMs = settings.idleTimeoutMs ?? preset?.idleMs;
  const common = {
    cwd,
    env: environmentOf(context, task),
    timeoutMs,
    outputBytesMax,
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
  };
  const { randomBytes } = context.host;
  if (command.kind === 'shell') {
    const stdin = {
      prompt: () => promptOf(task, randomBytes),
      json: () => taskJson(task),
      content: () => task.message.content,
    }[command.stdin]();
    return { spec: { ...common, file: 'sh', args: ['-c', command.line], stdin }, resumes: false };
  }
  const { begin, resume, file, prompt: place, expands, trust } = presetOf(command.preset);
  const session = resume && options.session;
  const text = session && task.correction ? correctionOf(task, randomBytes) : promptOf(task, randomBytes);
  const prompt = plainPrompt(text, expands);
  const added = [
    ...(settings.trustDirectory !== undefined && trust ? missingOf(trust, command.args) : []),
    ...command.args,
  ];
  const args = filled(session ? (resume ?? []) : begin, { ...options, args: added, session: session ?? '' });
  return {
    spec: { ...common, file, args, ...(place === 'stdin' ? { stdin: prompt } : {}) },
    ...(place === 'file' ? { prompt } : {}),
    resumes: Boolean(session),
  };
}

/** Escapes what the program would expand in a prompt. If that changes the prompt, a note tells the model how to read it. */
export function plainPrompt(text: string, expands: readonly Expansion[] = []): string {
  const told: string[] = [];
  const plain = expands.reduce((before, { find, plain: by, told: note }) => {
    const after = before.replaceAll(find, by);
    if (after !== before) told.push(note);
    return after;
  }, text);
  return [plain, ...told.map((note) => `${note}\n`)].join('\n');
}

function filled(
  template: Preset['begin'],
  { args, session, paths }: Pick<InvocationOptions, 'paths'> & { args: readonly string[]; session: string },
): string[] {
  const values: Readonly<Record<string, string>> = {
    '{session}': session,
    '{prompt}': paths.prompt,
    '{history}': paths.history,
  };
  return template.flatMap((word) => (word === '{args}' ? args : [values[word] ?? word]));
}

/** Lets the command use `mailroom` as the agent, and shows a script which message it answers. */
function environmentOf({ layout }: RoomContext, { address, message }: AgentTask): Record<string, string> {
  return {
    MAILROOM_AS: address,
    MAILROOM_DIR: layout.directory,
    MAILROOM_MESSAGE_ID: message.id,
    MAILROOM_FROM: message.from,
    MAILROOM_TYPE: message.type,
    // The only one of these that a sender can choose freely.
    MAILROOM_THREAD: visible(threadOf(message)),
  };
}

const LOOK_MS_MAX = 5_000;
/** A word that a shell takes as it is: no variable, no quote, no redirection. */
const PLAIN_WORD = /^\s*([\w@%+:,./-]+)(?=\s|$)/;

/**
 * The program that a command starts with, if it does not exist; undefined if it does, or if only a shell can tell. What a
 * shell would find counts as existing: a file in PATH, or a builtin.
 */
export async function missingProgram(
  host: Host,
  { command, cwd }: Pick<AgentSettings, 'command' | 'cwd'>,
): Promise<string | undefined> {
  const name = command.kind === 'preset' ? presetOf(command.preset).file : PLAIN_WORD.exec(command.line)?.[1];
  if (name === undefined) return undefined;
  const program = name.includes('/') ? resolve(cwd, name) : name;
  const look = ['-c', 'command -v -- "$1" >/dev/null || exit 99', 'sh', program];
  const { exitCode } = await host.processes.run('sh', look, { timeoutMs: LOOK_MS_MAX });
  return exitCode === 99 ? program : undefined;
}
