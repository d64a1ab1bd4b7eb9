import { isDeepStrictEqual } from 'node:util';
import type { Start } from './starts.ts';
import { VERBS, type VerbName } from './verbs.ts';
import type { Messages, Actor, World } from './world.ts';

/** One actor's verb, and the verbs that run before which of its calls; the calls are numbered from 1. */
export interface Nest {
  readonly actor: string;
  readonly verb: VerbName;
  readonly inside?: { readonly step: number; readonly nest: Nest };
}

export interface Interleaving {
  readonly start: Start;
  readonly leasesMs: { readonly a: number; readonly b: number; readonly c: number };
  /** What happens first, then what follows; a number lets that many ms pass. */
  readonly nests: readonly [Nest, ...(Nest | number)[]];
}

export interface Ran {
  /** What each verb reported, innermost first. */
  readonly reports: readonly string[];
  /** Calls of the first verb. */
  readonly steps: number;
  /** Every verb has run, including the innermost. */
  readonly isComplete: boolean;
  /** Two actors acted at once on two copies of one message. */
  readonly twice: number;
  readonly overwritten: number;
  readonly faults: readonly string[];
}

const SETTLE_ROUNDS_MAX = 12;
const LEASE_OVER_MS = 25 * 60 * 60_000;

/**
 * Lays out a start, runs the nested verbs, then lets one last reader take whatever is left, and reports every rule that
 * was broken on the way.
 */
export function interleave(world: World, interleaving: Interleaving): Ran {
  const { start, leasesMs, nests } = interleaving;
  world.clear();
  const actors = new Map((['a', 'b', 'c'] as const).map((name) => [name as string, world.actor(name, leasesMs[name])]));
  const of = (name: string): Actor => actors.get(name) ?? unknownActor(name);
  const { messages } = world;
  start.lay(world, { a: of('a'), b: of('b') }, messages);
  const faults: string[] = [];
  const reports: string[] = [];
  let twice = 0;
  let performed = 0;
  const perform = ({ actor: name, verb, inside }: Nest): void => {
    const actor = of(name);
    performed += 1;
    actor.stepped.start((step) => {
      if (inside && step === inside.step) perform(inside.nest);
    });
    const before = actor.held;
    try {
      reports.push(`${name}: ${verb}: ${VERBS[verb](actor, messages)}`);
    } catch (error) {
      faults.push(`${name}: ${verb} threw ${String(error)}`);
    } finally {
      actor.stepped.stop();
    }
    if (actor.held !== before) twice += actsBesideOthers(world, actor, [...actors.values()], faults);
  };
  perform(nests[0]);
  const steps = of(nests[0].actor).stepped.steps.length;
  for (const nest of nests.slice(1)) {
    if (typeof nest === 'number') world.clock.nowMs += nest;
    else perform(nest);
  }
  const isComplete = performed === countVerbs(nests);
  const { overwritten } = world.copies;
  settle(world, messages, reports, faults);
  return { reports, steps, isComplete, twice, overwritten, faults: [...faults, ...world.copies.faults] };
}

/** Number of others that act on the same message at the same time; on the same copy nobody may. */
function actsBesideOthers(world: World, actor: Actor, all: readonly Actor[], faults: string[]): number {
  const copy = copyHeld(world, actor);
  if (!copy) return 0;
  let others = 0;
  for (const other of all) {
    const theirs = other === actor ? undefined : copyHeld(world, other);
    if (!theirs || theirs.content !== copy.content) continue;
    others += 1;
    if (theirs === copy) faults.push(`${actor.name} and ${other.name} act on the same copy at once`);
    if (world.copies.madeOf(copy.content) < 2)
      faults.push(`${actor.name} and ${other.name} act on a message sent once`);
  }
  return others;
}

/** The copy under an actor's live lease. */
function copyHeld(world: World, { held, mailbox }: Actor): ReturnType<World['copies']['copyAt']> {
  if (!held || held.untilMs <= world.clock.nowMs) return undefined;
  return world.copies.copyAt(`${mailbox.layout.cur}/${held.name},${held.attempt},${held.untilMs}`);
}

/**
 * Everyone else is gone. All that was delivered must end in `done` or `dead`, and the disk must match the record of its
 * changes.
 */
function settle(world: World, messages: Messages, reports: readonly string[], faults: string[]): void {
  const last = world.actor('last', 60_000);
  for (let round = 1; ; round++) {
    world.clock.nowMs += LEASE_OVER_MS;
    if (VERBS.drain(last, messages) === 'held 0' && left(world).length === 0) break;
    VERBS.acknowledge(last, messages);
    if (round === SETTLE_ROUNDS_MAX) {
      faults.push(`left after ${round} rounds: ${left(world).join(', ')}`);
      break;
    }
  }
  const seen = world.copies.list();
  const found = world.listDisk((bytes) => contentOf(bytes, messages));
  if (!isDeepStrictEqual(seen, found)) faults.push(`the disk has ${found.join(', ')}; seen were ${seen.join(', ')}`);
  const said = reports.some((report) => report.endsWith('send: delivered'));
  if (said && !seen.some((line) => line.endsWith(' first')))
    faults.push('a send was reported delivered and is nowhere');
}

function left(world: World): string[] {
  return world.copies.list().filter((line) => line.startsWith('new/') || line.startsWith('cur/'));
}

function contentOf(bytes: Buffer, { first, second }: Messages): string {
  if (bytes.equals(first.bytes)) return 'first';
  return bytes.equals(second.bytes) ? 'second' : 'squatter';
}

function countVerbs(nests: Interleaving['nests']): number {
  const depth = (nest: Nest): number => 1 + (nest.inside ? depth(nest.inside.nest) : 0);
  return nests.reduce<number>((sum, nest) => sum + (typeof nest === 'number' ? 0 : depth(nest)), 0);
}

function unknownActor(name: string): never {
  throw new Error(`no actor ${name}`);
}

export function describeRun({ start, leasesMs, nests }: Interleaving, ran: Ran): string {
  const place = (at: Nest | number): string =>
    typeof at === 'number'
      ? `${at} ms pass`
      : `${at.actor} ${at.verb}${at.inside ? `, at its call ${at.inside.step} (${place(at.inside.nest)})` : ''}`;
  const leases = `leases ${leasesMs.a}, ${leasesMs.b}, ${leasesMs.c} ms`;
  return [`${start.name}; ${nests.map(place).join(', then ')}; ${leases}`, ...ran.reports, ...ran.faults].join(
    '\n    ',
  );
}
