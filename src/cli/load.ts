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

/** The packages that a machine's file imports. */
const PACKAGES = ['agent-mailroom', 'xstate', 'zod'];

export interface MachinePlace {
  /** The directory that the file's path is relative to. */
  readonly cwd: string;
  /** A file of this package, with symbolic links resolved; packages that the machine's own directory lacks are looked for beside it. Default: they are not found. */
  readonly program?: string | undefined;
}

/** Whether the word names a file with code, not an address. */
export function isMachineFile(word: string): boolean {
  return MACHINE_FILE.test(word) || word.includes('/');
}

/**
 * Loads the machine that a file exports: as `machine`, as the default export, or as its only machine. Packages that the
 * machine needs and that are not installed beside it come from the package of `program`. Throws InvalidInput if there is no
 * such file, it cannot be loaded, or it exports no machine or several.
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
    // The exports of a CommonJS file arrive as the default export, and may contain a default export of their own.
    const { default: whole } = loaded;
    return typeof whole === 'object' && whole !== null && !isMachine(whole) ? { ...loaded, ...whole } : loaded;
  } catch (error) {
    throw error instanceof InvalidInput && error.message.startsWith(path) ? error : notLoaded(path, error);
  }
}

function notLoaded(path: string, cause: unknown): InvalidInput {
  const message = cause instanceof Error ? cause.message : String(cause);
  // An error of Mailroom comes from the copy of the library that the file imports, and has the better hint.
  const said = isMailroomError(cause) ? cause.hint : undefined;
  const hint = said ?? moduleHint(path, message) ?? missingHint(cause, message) ?? 'Fix the file; --debug shows where.';
  return new InvalidInput(`${path} could not be loaded: ${message.replace(/\s*\n\s*/g, ' ')}`, { cause, hint });
}

/** The hint for an import that was not found; undefined for any other error. */
function missingHint(cause: unknown, message: string): string | undefined {
  if (errnoOf(cause) !== 'ERR_MODULE_NOT_FOUND' && errnoOf(cause) !== 'MODULE_NOT_FOUND') return undefined;
  // Only Node's message names the import: a package by its name, a file by its path.
  const [, name = ''] = /['"]([^'"]+)['"]/.exec(message) ?? [];
  if (/^([./]|file:)/.test(name)) return 'Correct the path of the import; --debug shows where it is.';
  const [packageName = name] = /^((@[^/]+\/)?[^/]+)/.exec(name) ?? [];
  return `Install the package that it imports beside it: npm install ${packageName}`;
}

/** Recognized by its shape, because it may come from another copy of xstate. */
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
export interface Runtime {
  readonly checkMachine: typeof checkMachine;
  readonly drawSvg: typeof drawSvg;
  readonly replayWorkflow: typeof replayWorkflow;
  readonly toMermaid: typeof toMermaid;
}

/** The runner bundled into this command, and the URL of the module that exports the same runner. */
export interface OwnRunner {
  readonly runner: Runner;
  readonly url: string;
}

const MAIN: string = 'agent-mailroom';
const RUNTIME: string = 'agent-mailroom/runtime';

/**
 * Loads the runtime that belongs to a machine's file: that of the package which the file imports, because a machine and its
 * runtime must share one xstate; this command's own if the file finds none.
 */
export async function loadRuntime(machineFile: string | undefined): Promise<Runtime> {
  return (await importModule(runtimeOf(machineFile) ?? RUNTIME)) as Runtime;
}

/** The same for running a machine; returns `own` if that is the one, instead of loading it again. */
export async function loadRunner(machineFile: string, own: OwnRunner): Promise<Runner> {
  const found = runtimeOf(machineFile);
  if (found === undefined || found === own.url) return own.runner;
  const { runWorkflow } = (await importModule(found)) as Pick<Runner, 'runWorkflow'>;
  // From the same copy of the package, because a room is of the code that has opened it.
  return { ...(await mainOf(machineFile)), runWorkflow };
}

async function mainOf(machineFile: string): Promise<Pick<Runner, 'openRoom'>> {
  const { openRoom } = (await importModule(resolveModule(MAIN, machineFile) ?? MAIN)) as Pick<Runner, 'openRoom'>;
  return { openRoom };
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

/** Chooses the file to import for a workflow without a parent. Throws InvalidInput if none may be imported. */
export type ChooseFile = (workflow: { readonly address: string; readonly recorded: MachineRef }) => string;

/** The folders of this package that hold the shipped machines: sources and compiled. */
const SHIPPED = ['machines', 'dist/machines'];

/**
 * Whether a file may be imported because a journal names it. Importing a file runs it, and a journal is not signed, so only
 * machines that ship with the package of `program` may be imported; the programs in subfolders of theirs may not.
 */
export function isShippedMachine(file: string, program: string): boolean {
  return SHIPPED.some((directory) => isPackageFile(file, { directory, program }));
}

/** Chooses the file that the user names with --machine, else the recorded one if it ships with this package. */
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
 * Loads the machine of a workflow; a child's machine is found through its parents' machines. Throws ActorNotFound,
 * InvalidInput, and what `chooseFile` throws.
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
  /** The path down from the topmost workflow. */
  const steps: { readonly parent: string; readonly src: string }[] = [];
  let top = asked;
  while (top.state?.parent) {
    const { address: parent, src } = top.state.parent;
    if (seen.has(parent)) throw new InvalidInput(`According to the journals, ${parent} has started itself.`);
    seen.add(parent);
    steps.unshift({ parent, src });
    top = journalOf(parent);
  }
  const { machine: topmost, path } = await loadMachine(context.host, chooseFile(top), place);
  let machine = topmost;
  for (const { parent, src } of steps) {
    const child = machine.implementations.actors[src] as AnyStateMachine | undefined;
    if (!child) throw new InvalidInput(`The machine of ${parent} no longer has an actor "${src}".`);
    machine = child;
  }
  return { machine, file: path, snapshot: asked.state?.snapshot };
}

/** What `agent` uses of the library. */
interface AgentsLibrary {
  readonly openRoom: typeof openRoom;
  readonly runAgent: typeof runAgent;
}

const LIBRARY: string = 'agent-mailroom/agents';

/** Imports the library installed beside this command. It is not bundled, because it starts programs that lie beside its own files. */
export async function loadAgents(): Promise<AgentsLibrary> {
  const { runAgent } = (await importModule(LIBRARY)) as Pick<AgentsLibrary, 'runAgent'>;
  const { openRoom } = (await importModule(MAIN)) as Pick<AgentsLibrary, 'openRoom'>;
  return { openRoom, runAgent };
}
