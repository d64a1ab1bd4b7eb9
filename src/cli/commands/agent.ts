import { relative, resolve, sep } from 'node:path';
import type { AgentCommand, StdinForm } from '../../agents/settings.ts';
import { PRESET_NAMES, type PresetName } from '../../agents/presets.ts';
import type { RunAgentOptions } from '../../agents/run-agent.ts';
import { InvalidInput } from '../../errors.ts';
import { realPathOf } from '../../host/real-path.ts';
import { cut, echo } from '../../message/cut.ts';
import { isMessageType } from '../../message/message-type.ts';
import { textOption, type Arguments } from '../arguments.ts';
import type { Call, CliCommand } from '../command.ts';
import { countOption, listOption, parseDuration, WAIT_MS_MAX } from '../option-values.ts';
import { EXIT_OK } from '../exit-code.ts';
import { onInterruption } from '../interruption.ts';
import { loadAgents } from '../load.ts';
import { createAgentTeller } from '../print/agent.ts';
import { nudgeApart } from '../with-room.ts';

const STDIN_FORMS: readonly StdinForm[] = ['prompt', 'json', 'content'];
const TIMEOUT_MS = 3_600_000;
const BACKOFF_MS = 5_000;
const TRIES = 3;
const TRIES_MAX = 20;
const OUTPUT_KIB = 8_192;
const PROGRAM_CHARS_MAX = 40;
const HOST_LOOK_MS = 1_000;
const PID = /^\d{1,9}$/;

export const agent: CliCommand = {
  name: 'agent',
  summary: 'answer mail with a command: a script, a model',
  operands: [{ name: 'address' }, { name: 'args', optional: true, many: true }],
  options: [
    { name: 'exec', value: 'command', summary: 'the shell command to run for each question' },
    {
      name: 'preset',
      value: 'name',
      choices: PRESET_NAMES,
      summary: 'or a known program; args are added to its command line',
    },
    {
      name: 'stdin',
      value: 'form',
      choices: STDIN_FORMS,
      summary: 'what --exec reads: prompt (default, framed for a model), json, content',
    },
    { name: 'types', value: 'T1,T2', summary: 'types to answer besides QUESTION and REVIEW-REQUEST' },
    { name: 'timeout', value: 'time', summary: 'how long one run may take; default 1h' },
    {
      name: 'idle',
      value: 'time',
      summary: 'how long a run may make no progress; default 15m for presets that report it',
    },
    { name: 'output', value: 'KiB', summary: `how much a run may write; default ${OUTPUT_KIB}` },
    { name: 'tries', value: 'count', summary: `attempts at a question; default ${TRIES}` },
    {
      name: 'backoff',
      value: 'time',
      summary: 'wait after the first failure; default 5s, then 4 times as long each time',
    },
    {
      name: 'trust-directory',
      value: 'dir',
      summary: 'let the preset run in a directory its program does not trust; see docs/agents.md',
    },
    { name: 'skills', value: 'a,b', summary: 'what it is good at, for others to read' },
    { name: 'no-broadcasts', summary: 'take no broadcasts, only mail sent to this address' },
    { name: 'limit', value: 'count', summary: 'exit after this many answers' },
    { name: 'host', value: 'pid', summary: 'exit when this process has ended, after the current answer' },
    { name: 'take-over', summary: 'take the address over from the live agent or the workflow that has it' },
  ],
  details: `It joins as the address, runs the command for each question, and sends its stdout as the reply. All other mail is passed on
with the next question. Kill it at any time: run again, it resumes; no question is answered twice, and the command runs
again only for a question that it had not answered. Ctrl-C ends it (exit 130) and releases what it holds.
With --host it does not outlive the process that needs it: it takes no new question, sends the current answer, and exits.

  mailroom agent counter --exec 'wc -w' --stdin content
  mailroom agent reviewer --exec ./review.sh --stdin json --types CHALLENGE
  mailroom agent claude-1 --preset claude -- --permission-mode acceptEdits

When the command fails, the question is released and retried later; after the last attempt the asker gets BLOCKED with
the reason. A failure that no retry can fix (not logged in, no credit, no such program) is reported at once. A question
whose data has a replySchema (JSON Schema) is answered with JSON that fits it. The command finds MAILROOM_AS, MAILROOM_DIR,
MAILROOM_FROM, MAILROOM_TYPE, MAILROOM_MESSAGE_ID and MAILROOM_THREAD in its environment.
With --json each line on stdout is one event. More: docs/agents.md`,
  run: async (call) => {
    const { args, cwd } = call;
    const options = optionsOf(call);
    const library = await loadAgents();
    const room = await library.openRoom({ directory: textOption(args, 'room'), cwd, nudge: nudgeApart(call) });
    try {
      using interruption = onInterruption();
      const onJoined = (): void => {
        if (!call.isJson) void call.output.talk(`${options.address} answers mail. Ctrl-C ends it.\n`);
      };
      const tell = createAgentTeller(call);
      using host = watchHost(call);
      const { signal } = interruption;
      await library.runAgent(room, { ...options, signal, drain: host.gone, tell, onJoined });
      return interruption.exitCode ?? EXIT_OK;
    } finally {
      await room.close();
    }
  },
};

/** Watches the process that `--host` names; `gone` aborts when it has ended. Throws InvalidInput if there is no such process. */
function watchHost({ args, host, output }: Call): Disposable & { readonly gone: AbortSignal | undefined } {
  const { processes, clock } = host;
  const given = textOption(args, 'host');
  if (given === undefined) return { gone: undefined, [Symbol.dispose]: () => {} };
  const identity = PID.test(given) ? processes.identify(Number(given)) : undefined;
  if (identity === undefined) {
    throw new InvalidInput(`--host is ${echo(given)}: there is no process with this pid.`, {
      hint: 'Give the pid of the process that this agent works for, or omit --host.',
    });
  }
  const [gone, over] = [new AbortController(), new AbortController()];
  void (async () => {
    while (!over.signal.aborted && processes.isAlive(identity)) await clock.sleep(HOST_LOOK_MS, over.signal);
    if (over.signal.aborted) return;
    await output.talk(`Its host, process ${given}, has ended: it takes no new question.\n`);
    gone.abort();
  })();
  return { gone: gone.signal, [Symbol.dispose]: () => over.abort() };
}

function optionsOf({ args, cwd }: Call): Omit<RunAgentOptions, 'signal' | 'tell' | 'onJoined'> {
  const [address = ''] = args.operands;
  const command = commandOf(args);
  const idle = textOption(args, 'idle');
  return {
    address,
    command,
    cwd,
    trustDirectory: trustedDirectory(args, { command, cwd }),
    types: new Set(typesOf(args)),
    timeoutMs: timeOption(args, 'timeout') ?? TIMEOUT_MS,
    idleTimeoutMs: idle === undefined ? undefined : timeOption(args, 'idle'),
    outputBytesMax: (countOption(args, 'output') ?? OUTPUT_KIB) * 1024,
    triesMax: Math.min(countOption(args, 'tries') ?? TRIES, TRIES_MAX),
    backoffMs: timeOption(args, 'backoff') ?? BACKOFF_MS,
    program: command.kind === 'preset' ? command.preset : cut(command.line, { charsMax: PROGRAM_CHARS_MAX }),
    skills: listOption(textOption(args, 'skills')),
    broadcasts: !args.options.has('no-broadcasts'),
    answersMax: countOption(args, 'limit'),
    takeOver: args.options.has('take-over'),
  };
}

function commandOf(args: Arguments): AgentCommand {
  const [, ...words] = args.operands;
  const line = textOption(args, 'exec');
  const preset = textOption(args, 'preset') as PresetName | undefined;
  const stdin = textOption(args, 'stdin') as StdinForm | undefined;
  if (line !== undefined && preset !== undefined) throw usage('--exec and --preset exclude each other.');
  if (preset !== undefined) {
    if (stdin !== undefined) throw usage('--stdin requires --exec; a preset knows what its program reads.');
    return { kind: 'preset', preset, args: words };
  }
  if (line === undefined || line.trim() === '') throw usage('Neither --exec nor --preset is given.');
  if (words.length > 0)
    throw usage(`Unexpected argument ${JSON.stringify(words[0])}: --exec takes the whole command as one argument.`);
  return { kind: 'shell', line, stdin: stdin ?? 'prompt' };
}

/** Only a directory that the user names is trusted, never the current one by itself. Throws if the program would run outside it. */
function trustedDirectory(
  args: Arguments,
  { command, cwd }: { command: AgentCommand; cwd: string },
): string | undefined {
  const named = textOption(args, 'trust-directory');
  if (named === undefined) return undefined;
  if (command.kind === 'shell')
    throw usage('--trust-directory requires --preset; a shell command decides that for itself.');
  const directory = realPathOf(resolve(cwd, named));
  const inside = directory === undefined ? '..' : relative(directory, realPathOf(cwd) ?? cwd);
  if (directory !== undefined && inside.split(sep)[0] !== '..') return directory;
  throw new InvalidInput(`--trust-directory ${named}: the program would run in ${cwd}, which is not inside it.`, {
    hint: 'Start the agent in that directory, or name the current one: --trust-directory .',
  });
}

function usage(message: string): InvalidInput {
  return new InvalidInput(message, {
    hint: `Give a command or a model: mailroom agent bob --exec ./answer.sh\nmailroom agent bob --preset ${PRESET_NAMES.join('|')}`,
  });
}

function typesOf(args: Arguments): string[] {
  const types = listOption(textOption(args, 'types')) ?? [];
  const malformed = types.find((type) => !isMessageType(type));
  if (malformed === undefined) return types;
  throw new InvalidInput(`--types has ${echo(malformed)}, which is not a message type.`, {
    hint: 'A type has capitals, digits and single hyphens: --types CHALLENGE,BLOCKED',
  });
}

/** A time of at least 1 ms, in ms. */
function timeOption(args: Arguments, option: string): number | undefined {
  const text = textOption(args, option);
  return text === undefined ? undefined : Math.max(1, parseDuration(text, { option, msMax: WAIT_MS_MAX }));
}
