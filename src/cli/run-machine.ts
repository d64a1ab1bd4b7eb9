import { addressOf, type WorkflowResult } from '../runtime/host.ts';
import { listWorkflows } from '../journal/list.ts';
import { InvalidInput, isMailroomError } from '../errors.ts';
import { readText } from '../host/files.ts';
import { visibleJson } from '../message/visible.ts';
import { contextOf, type Room } from '../room/room.ts';
import { WithAdvice } from './report-error.ts';
import { textOption } from './arguments.ts';
import type { Call } from './command.ts';
import { splitLine } from './command-spec.ts';
import { EXIT_FAILURE, EXIT_OK } from './exit-code.ts';
import { onInterruption } from './interruption.ts';
import { OutputFailed } from './output.ts';
import { loadMachine, loadRunner, type OwnRunner } from './load.ts';
import { parseJson } from './parse-json.ts';
import { startInspector, type Inspector } from './start-inspector.ts';
import { createTeller } from './print/story.ts';
import { nudgeApart } from './with-room.ts';
import { commandLine } from './shell-words.ts';

/** Options that apply once, so a command to repeat omits them. */
const ONCE: ReadonlySet<string> = new Set(['--again', '--retry-failed']);

const EXIT_INTERRUPTED = 130;
/** A suggested command does not repeat longer input. */
const INPUT_CHARS_MAX = 1_000;

/** Runs `mailroom run`; `own` is the runner of this copy of the package. Resolves with the exit code. */
export async function runMachine(call: Call, own: OwnRunner): Promise<number> {
  const { args, host, cwd } = call;
  const loaded = await loadMachine(host, args.operands[0] ?? '', { cwd, program: call.nudgeProgram });
  const runner = await loadRunner(loaded.path, own);
  const input = inputOf(call);
  const address = addressOf(loaded.machine, { address: textOption(args, 'as') });
  // Opened by the copy of the library that the runtime uses, which may not be this command's.
  const room = await runner.openRoom({ directory: textOption(args, 'room'), cwd, nudge: nudgeApart(call) });
  let inspector: Inspector | undefined;
  const previousInput = (): unknown => listWorkflows(room, address)[0]?.state?.input;
  try {
    using interruption = onInterruption(host.watchdog);
    const { signal } = interruption;
    inspector = args.options.has('inspect') ? await inspect(call, room, { address, file: loaded.path }) : undefined;
    const result = await runner.runWorkflow(room, loaded.machine, {
      address,
      input,
      again: args.options.has('again'),
      takeOver: args.options.has('take-over'),
      force: args.options.has('force'),
      acceptChanged: args.options.has('accept-changed'),
      retryFailed: args.options.has('retry-failed'),
      file: loaded.path,
      signal,
      onRecord: createTeller(call, { address, state: listWorkflows(room, address)[0]?.state }),
    });
    return await tell(call, result, { address, interrupted: interruption.exitCode, previousInput });
  } catch (error) {
    if (!isMailroomError(error) || error.code !== 'WORKFLOW_FAILED') throw error;
    throw new WithAdvice(error, failedAdvice(call, previousInput()));
  } finally {
    await inspector?.close();
    await room.close();
  }
}

/** What to do about a FAILED workflow. */
function failedAdvice(call: Call, input: unknown): string {
  const { rest } = splitLine(call.words.filter((word) => !ONCE.has(word)));
  const retry = commandLine(['run', '--retry-failed', ...rest]);
  return `Everything for it waits. Once the code is fixed: ${retry}\nTo give it up and start a new run: ${newRunLine(call, input)}`;
}

/** The command that starts a new run with the same input. */
function newRunLine({ words, args }: Call, input: unknown): string {
  const json = JSON.stringify(input ?? null);
  const given = json.length > INPUT_CHARS_MAX ? '@<file>' : json;
  const more = args.options.has('input') || json === 'null' ? [] : ['--input', given];
  const { rest } = splitLine(words.filter((word) => !ONCE.has(word)));
  return commandLine(['run', '--again', ...more, ...rest]);
}

function inputOf({ args, host }: Call): unknown {
  const given = textOption(args, 'input');
  if (given === undefined) return undefined;
  const isFile = given.startsWith('@');
  const text = isFile ? readText(host.files, given.slice(1)) : given;
  if (text === undefined) throw new InvalidInput(`There is no file ${given.slice(1)} to read the input from.`);
  return parseJson(text, {
    what: isFile ? `The input in ${given.slice(1)}` : 'The input',
    example: `--input '{"count":3}', or read it from a file: --input @input.json`,
  });
}

async function inspect(
  call: Call,
  room: Room,
  { address, file }: { address: string; file: string },
): Promise<Inspector> {
  const { cwd, nudgeProgram: program, output } = call;
  const warn = (text: string): void => void output.advise(`${text}\n`);
  const files = { named: [file], words: ['inspect', address], program };
  const inspector = await startInspector(contextOf(room), { addresses: [address], cwd, files, program, warn });
  await output.talk(`To watch it, open ${inspector.url}\n`);
  return inspector;
}

async function tell(
  call: Call,
  result: WorkflowResult,
  {
    address,
    interrupted,
    previousInput,
  }: { address: string; interrupted: number | undefined; previousInput: () => unknown },
): Promise<number> {
  const { output, words, isJson } = call;
  const resumeLine = commandLine(words.filter((word) => !ONCE.has(word)));
  const shown = isJson ? { address, ...result } : result.status === 'done' ? result.output : undefined;
  try {
    if (shown !== undefined) await output.json(shown);
  } catch (error) {
    if (!(error instanceof OutputFailed)) throw error;
    // The command as it was typed might start a new run.
    const hint = result.status === 'left' ? 'To resume' : 'The workflow has ended. To print its output';
    throw new WithAdvice(error, `${hint}: ${resumeLine}`);
  }
  const newRunAdvice = (): string =>
    `  The workflow has ended. To start a new run: ${newRunLine(call, previousInput())}\n`;
  switch (result.status) {
    case 'done':
      return EXIT_OK;
    case 'error':
      await output.advise(`mailroom: it failed: ${visibleJson(result.error)}\n${newRunAdvice()}`);
      return EXIT_FAILURE;
    case 'stopped':
      await output.advise(`mailroom: it was stopped.\n${newRunAdvice()}`);
      return EXIT_FAILURE;
    default:
      await output.advise(`Interrupted; nothing is lost. To resume: ${resumeLine}\n`);
      return interrupted ?? EXIT_INTERRUPTED;
  }
}
