import { InvalidInput } from '../../errors.ts';
import { hookFile } from '../../hooks/install/hook-files.ts';
import { addHooks, removeHooks, type HookChange } from '../../hooks/install/install-hooks.ts';
import { sandboxGap } from '../../hooks/install/sandbox.ts';
import { HOOK_PROGRAMS, type HookProgram } from '../../hooks/programs.ts';
import { assertAddress } from '../../message/address.ts';
import { visible } from '../../message/visible.ts';
import { textOption } from '../arguments.ts';
import type { Call } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';
import {
  adviceOnAdded,
  adviceOnRemoved,
  callingFor,
  scopeAdvice,
  type Target,
  type TargetChange,
} from './hook-advice.ts';
import { placeOf, programsHere, roomHere, type HookLocation } from './find-place.ts';
import { reportStatus } from './hooks-status.ts';

/** `mailroom hooks`: adds, removes or lists the hooks by which programs join. */
export async function runHooks(call: Call): Promise<number> {
  const [action = 'status'] = call.args.operands;
  assertFits(call, action);
  if (action === 'status') return reportStatus(call);
  const place = placeOf(call);
  const programs = programsMeant(call, place);
  if (action === 'remove') return remove(call, place, programs);
  return add(call, place, programs);
}

function assertFits({ args }: Call, action: string): void {
  const { options } = args;
  const fitting = {
    add: ['all', 'user', 'project', 'sandbox-access', 'dry-run'],
    remove: ['all', 'user', 'project', 'dry-run'],
  };
  const taken = action === 'status' ? [] : fitting[action as 'add' | 'remove'];
  const given = ['all', 'user', 'project', 'sandbox-access', 'dry-run'].filter((name) => options.has(name));
  const odd = given.find((name) => !taken.includes(name));
  if (odd !== undefined) {
    throw new InvalidInput(`mailroom hooks ${action} takes no --${odd}.`, { hint: 'See: mailroom help hooks' });
  }
}

function programsMeant({ args, host, cwd, env }: Call, { places }: HookLocation): HookProgram[] {
  const [action, ...named] = args.operands;
  const isAll = args.options.has('all');
  if (isAll && named.length > 0) {
    throw new InvalidInput('--all and names of programs exclude each other.', { hint: 'Give one of them.' });
  }
  if (!isAll && named.length === 0) {
    throw new InvalidInput(`mailroom hooks ${action} needs a program: ${HOOK_PROGRAMS.join(', ')}.`, {
      hint: `Name one or more, or all: mailroom hooks ${action} --all`,
    });
  }
  if (!isAll) return HOOK_PROGRAMS.filter((program) => named.includes(program));
  if (action === 'remove') return [...HOOK_PROGRAMS];
  const here = programsHere(host, { project: places.project, cwd, env });
  if (here.length > 0) return here;
  throw new InvalidInput(`None of these programs was found here: ${HOOK_PROGRAMS.join(', ')}.`, {
    hint: 'Name the one that you will use, such as: mailroom hooks add claude',
  });
}

async function add(call: Call, place: HookLocation, programs: readonly HookProgram[]): Promise<number> {
  const { args, host } = call;
  const as = textOption(args, 'as');
  if (as !== undefined) assertAddress(as);
  if (as !== undefined && programs.length > 1) {
    throw new InvalidInput(`--as ${as} is the address of one agent, but ${programs.length} programs are named.`, {
      hint: 'Add each with a command of its own, or omit --as: then each session gets an address of its own.',
    });
  }
  const room = roomHere(call);
  const isAsked = args.options.has('sandbox-access');
  if (isAsked && room === undefined) {
    throw new InvalidInput('--sandbox-access lets a sandbox write to the room, but there is no room here.', {
      hint: 'Create it first, in this directory: mailroom init',
    });
  }
  const targets: Target[] = [];
  for (const program of programs) {
    const path = hookFile(program, place.scope, place.places);
    const isRoomWritable = isAsked && sandboxGap(program, room, { places: place.places, path })?.isWritten === true;
    targets.push({ program, path, room, isRoomWritable, ...(await callingFor(call, place, { program, as })) });
  }
  const carryOut = (target: Target, isDry: boolean): Promise<HookChange> =>
    addHooks(host, { ...target, ...target.calling, isDry });
  const changes = await inTurn(call, targets, carryOut);
  await report(call, place, changes);
  await call.output.advise(scopeAdvice(place));
  for (const { target, change } of changes) await call.output.advise(adviceOnAdded(call, place, { target, change }));
  return EXIT_OK;
}

async function remove(call: Call, place: HookLocation, programs: readonly HookProgram[]): Promise<number> {
  const room = roomHere(call);
  const targets: Target[] = programs.map((program) => {
    const path = hookFile(program, place.scope, place.places);
    return { program, path, room, isRoomWritable: false, calling: {}, isShared: false };
  });
  const changes = await inTurn(call, targets, (target, isDry) => removeHooks(call.host, { ...target, isDry }));
  await report(call, place, changes);
  for (const { target, change } of changes) await call.output.advise(adviceOnRemoved(call, place, { target, change }));
  return EXIT_OK;
}

/** Does a dry run of all targets first, so that a file that must be fixed by hand stops the command before it writes anything. */
async function inTurn(
  { args }: Call,
  targets: readonly Target[],
  carryOut: (target: Target, isDry: boolean) => Promise<HookChange>,
): Promise<TargetChange[]> {
  const planned: TargetChange[] = [];
  for (const target of targets) planned.push({ target, change: await carryOut(target, true) });
  if (args.options.has('dry-run')) return planned;
  const done: TargetChange[] = [];
  for (const target of targets) done.push({ target, change: await carryOut(target, false) });
  return done;
}

async function report(
  { args, isJson, output }: Call,
  { scope }: HookLocation,
  changes: readonly TargetChange[],
): Promise<void> {
  const isDryRun = args.options.has('dry-run');
  if (isJson) {
    const told = changes.map(({ target: { program }, change }) => ({ program, scope, isDryRun, ...change }));
    return output.report({ json: told });
  }
  const lines = changes.flatMap(({ target: { program }, change: { state, path, entries, isWholeFile } }) => {
    const sign = state === 'removed' ? '-' : '+';
    const shown = entries.map((entry) => `  ${sign} ${entry.path.join('.')}  ${JSON.stringify(entry.value)}`);
    const whole = isWholeFile ? [`  ${sign} the file itself`] : [];
    return [`${isDryRun ? 'would be ' : ''}${state}  ${program}  ${path}`, ...(isDryRun ? [...whole, ...shown] : [])];
  });
  await output.report({ text: lines.map((line) => `${visible(line)}\n`).join('') });
}
