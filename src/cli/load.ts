import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AnyStateMachine } from 'xstate';
import type { runAgent } from '../agents/run-agent.ts';
import type { toMermaid } from '../diagram/mermaid.ts';
import type { drawSvg } from '../diagram/svg.ts';
import { InvalidInput, isMailroomError } from '../errors.ts';
import type { replayWorkflow } from '../history/replay.ts';
import { noWorkflow } from '../journal/list.ts';
import { errnoOf } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import { canImport, isPackageFile, resolveFrom, resolveModule } from '../host/resolve-module.ts';
import { readJournalState } from '../journal/read.ts';
import type { MachineRef } from '../journal/record.ts';
import type { RoomContext } from '../room/context.ts';
import type { openRoom } from '../room/room.ts';
import type { runWorkflow } from '../runtime/host.ts';
import type { checkMachine } from '../step/check-machine.ts';
import { textOption } from './arguments.ts';
import { splitLine } from './command-spec.ts';
import type { Call } from './command.ts';
import { importTypeScript, moduleHint, importModule } from './load-typescript.ts';
import { commandLine } from './shell-words.ts';

const TYPESCRIPT = /\.[cm]?tsx?$/;
const EXTENSIONS = ['.ts', '.js', '.mts', '.mjs'];
const MACHINE_FILE = /\.[cm]?[jt]sx?$/;

/** What a machine's file imports besides its own files. */
const PACKAGES = ['agent-mailroom', 'xstate', 'zod'];

export interface MachinePlace {
  /** What the path of the file is relative to. */
  readonly cwd: string;
  /** A file of this package, links followed; what a machine lacks is not found when it is not given. */
  readonly program?: string | undefined;
}

/** Whether the word names a file with code, and no address. */
export function isMachineFile(word: string): boolean {
  return MACHINE_FILE.test(word) || word.includes('/');
}

/**
 * The machine that a file exports: as `machine`, by default, or as the only one. What a machine
 * needs and has not beside it comes from the package of `program`. Throws InvalidInput when there is no such file,
 * it cannot be loaded, or it exports no machine or several.
 */
export async function loadMachine(
  { files }: Pick<Host, 'files'>,
  file: string,
  { cwd, program }: MachinePlace,
): Promise<{ machine: AnyStateMachine; path: string }> {
  const path = resolve(cwd, file);
  if (files.lstat(path) === undefined) {
    const meant = EXTENSIONS.map((extension) => file + extension).find((one) => files.lstat(resolve(cwd, one)));
    throw new InvalidInput(`There is no file ${path}.`, {
      hint: meant ? `Did you mean ${meant}?` : 'Give the file whose export is the machine: mailroom run ship.ts',
    });
  }
  const missing = PACKAGES.filter((name) => !canImport(name, path));
  if (missing.length > 0 && program !== undefined) resolveFrom(program, missing);
  const exported = await importFile(files, path, program);
  const machines = Object.entries(exported).filter(([, value]) => isMachine(value)) as [string, AnyStateMachine][];
  const named = machines.find(([name]) => name === 'machine') ?? machines.find(([name]) => name === 'default');
  const [only, another] = named ? [named] : machines;
  if (only && !another) return { machine: only[1], path };
  const found =
    machines.length === 0 ? 'no machine' : `several machines (${machines.map(([name]) => name).join(', ')})`;
  throw new InvalidInput(`${path} exports ${found}.`, {
    hint: 'Export one as `machine`: export const machine = setup({ … }).createMachine({ … })',
  });
}

async function importFile(
  files: Host['files'],
  path: string,
  program: string | undefined,
): Promise<Readonly<Record<string, unknown>>> {
  try {
    const loaded = TYPESCRIPT.test(path)
      ? await importTypeScript(files, path, program)
      : ((await importModule(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>);
    // What was written, or is run, as CommonJS comes as the default export, and may have one of its own in it.
    const { default: whole } = loaded;
    return typeof whole === 'object' && whole !== null && !isMachine(whole) ? { ...loaded, ...whole } : loaded;
  } catch (error) {
    throw error instanceof InvalidInput && error.message.startsWith(path) ? error : notLoaded(path, error);
  }
}

function notLoaded(path: string, cause: unknown): InvalidInput {
  const message = cause instanceof Error ? cause.message : String(cause);
  // What the library says of a machine comes from the copy that the file imports, and knows better what to do.
  const said = isMailroomError(cause) ? cause.hint : undefined;
  const hint =
    said ?? moduleHint(path, message) ?? missingHint(cause, message) ?? 'Mend the file; --debug shows where.';
  return new InvalidInput(`${path} could not be loaded: ${message.replace(/\s*\n\s*/g, ' ')}`, { cause, hint });
}

/** What to do about an import that was not found; undefined for any other error. */
function missingHint(cause: unknown, message: string): string | undefined {
  if (errnoOf(cause) !== 'ERR_MODULE_NOT_FOUND' && errnoOf(cause) !== 'MODULE_NOT_FOUND') return undefined;
  // Node names it in its message alone: a package by its name, a file by its path.
  const [, name = ''] = /['"]([^'"]+)['"]/.exec(message) ?? [];
  if (/^([./]|file:)/.test(name)) return 'Correct the path of the import; --debug shows where it is.';
  const [packageName = name] = /^((@[^/]+\/)?[^/]+)/.exec(name) ?? [];
  return `Install what it imports beside it: npm install ${packageName}`;
}

/** Told by its form, because it may come from another copy of xstate. */
function isMachine(value: unknown): value is AnyStateMachine {
  return (
    typeof value === 'object' &&
    value !== null &&
    '__xstatenode' in value &&
    'implementations' in value &&
    'root' in value
  );
}

/** What runs a machine. */
export interface Runner {
  readonly openRoom: typeof openRoom;
  readonly runWorkflow: typeof runWorkflow;
}

/** What the commands use of `agent-mailroom/runtime`. */
export interface Runtime extends Runner {
  readonly checkMachine: typeof checkMachine;
  readonly drawSvg: typeof drawSvg;
  readonly replayWorkflow: typeof replayWorkflow;
  readonly toMermaid: typeof toMermaid;
}

/** The runner that this command has in itself, and the URL of the module that has the same one for programs. */
export interface OwnRunner {
  readonly runner: Runner;
  readonly url: string;
}

const RUNTIME: string = 'agent-mailroom/runtime';

/**
 * The runtime that belongs to a machine's file: of the package which that file itself imports, because a machine and its
 * runtime must share one xstate; this command's own where the file finds none.
 */
export async function loadRuntime(machineFile: string | undefined): Promise<Runtime> {
  return (await importModule(runtimeOf(machineFile) ?? RUNTIME)) as Runtime;
}

/** The same, of which `own` need not be loaded once more. */
export async function loadRunner(machineFile: string, own: OwnRunner): Promise<Runner> {
  const found = runtimeOf(machineFile);
  return found === undefined || found === own.url ? own.runner : ((await importModule(found)) as Runtime);
}

function runtimeOf(machineFile: string | undefined): string | undefined {
  return machineFile === undefined ? undefined : resolveModule(RUNTIME, machineFile);
}

/** A workflow's machine, the file it comes from, and the state it is in. */
export interface MachineOf {
  readonly machine: AnyStateMachine;
  readonly file: string;
  /** XState's persisted snapshot. */
  readonly snapshot: unknown;
}

/** Chooses the file to import for a workflow that no other one started. Throws InvalidInput when none may be imported. */
export type ChooseFile = (workflow: { readonly address: string; readonly recorded: MachineRef }) => string;

/** The folders of this package that hold the machines which ship, as they are written and compiled. */
const SHIPPED = ['machines', 'dist/machines'];

/**
 * Whether a file may be imported because a journal names it. Importing a file runs it, and a journal is not signed: so
 * only a machine may that ships with the package of `program`. Below their folder are programs, which may not.
 */
export function isShippedMachine(file: string, program: string): boolean {
  return SHIPPED.some((directory) => isPackageFile(file, { directory, program }));
}

/** The file that the user names with --machine, or else the recorded one if that ships with this package. */
export function namedOrShipped(call: Call): ChooseFile {
  return ({ address, recorded: { file } }) => {
    const named = textOption(call.args, 'machine');
    if (named !== undefined) return named;
    if (file !== undefined && isShippedMachine(file, call.nudgeProgram)) return file;
    throw notTrusted(address, file, call.words);
  };
}

/** The refusal to import a recorded file, with the whole command that imports it. */
export function notTrusted(address: string, file: string | undefined, words: readonly string[]): InvalidInput {
  const { name = '', rest } = splitLine(words);
  return file === undefined
    ? new InvalidInput(`The journal of ${address} does not name the file of its machine.`, {
        hint: `Name it: ${commandLine([name, '--machine', 'FILE', ...rest])}`,
      })
    : new InvalidInput(
        `The journal of ${address} says that its machine is ${file}. Any program that can write to the room can write that, ` +
          'and importing a file runs it.',
        { hint: `If you trust that file: ${commandLine([name, '--machine', file, ...rest])}` },
      );
}

/**
 * Loads the machine of a workflow, a child's through its parents'. Throws ActorNotFound, InvalidInput, and what the choice
 * of the file throws.
 */
export async function machineOf(
  context: RoomContext,
  address: string,
  { chooseFile, ...place }: MachinePlace & { chooseFile: ChooseFile },
): Promise<MachineOf> {
  const journalOf = (one: string) => {
    const fold = readJournalState(context, one);
    if (!fold?.open) throw noWorkflow(context, one);
    return { address: one, recorded: fold.open.machine, state: fold.state };
  };
  const asked = journalOf(address);
  const seen = new Set([address]);
  /** How to get down again from the topmost workflow. */
  const steps: { readonly parent: string; readonly src: string }[] = [];
  let top = asked;
  while (top.state?.parent) {
    const { address: parent, src } = top.state.parent;
    if (seen.has(parent)) throw new InvalidInput(`The journals say that ${parent} has started itself.`);
    seen.add(parent);
    steps.unshift({ parent, src });
    top = journalOf(parent);
  }
  const { machine: topmost, path } = await loadMachine(context.host, chooseFile(top), place);
  let machine = topmost;
  for (const { parent, src } of steps) {
    const child = machine.implementations.actors[src] as AnyStateMachine | undefined;
    if (!child) throw new InvalidInput(`The machine of ${parent} has no actor "${src}" any more.`);
    machine = child;
  }
  return { machine, file: path, snapshot: asked.state?.snapshot };
}

/** What the commands use of `agent-mailroom/agents`. */
interface AgentsLibrary {
  readonly openRoom: typeof openRoom;
  readonly runAgent: typeof runAgent;
}

const LIBRARY: string = 'agent-mailroom/agents';

/** The library beside this command, and no part of its bundle: it starts programs that lie beside its own files. */
export async function loadAgents(): Promise<AgentsLibrary> {
  return (await importModule(LIBRARY)) as AgentsLibrary;
}
