import type { AnyStateMachine } from 'xstate';
import { EVERYONE } from '../message/address.ts';
import { durableWorkOf } from './durable-logic.ts';
import { makerOf } from './xstate-logic.ts';

/** The place, what is wrong there, and what to write instead. */
export type Fault = readonly [where: string, why: string, instead: string];

/** What is wrong with logic that is no machine, under its name among the actors. */
export function logicFaults(name: string, logic: unknown): Fault[] {
  const work = durableWorkOf(logic);
  if (!work) return [[`actors.${name}`, `is ${kindOf(logic)}, with which no restart could go on`, insteadOf(logic)]];
  if (!('to' in work) || work.to !== EVERYONE) return [];
  return [[`actors.${name}`, 'asks all, and one is to answer', 'Broadcast, and accept what comes back as mail.']];
}

/** What is wrong with logic that stands where a name could; `named` is how it is written with one. */
export function inPlaceFaults(where: string, logic: unknown, named: string): Fault[] {
  const isSound = isMachine(logic) || durableWorkOf(logic) !== undefined;
  const first = isSound ? '' : `${insteadOf(logic)} `;
  const why = `has ${kindOf(logic)} written in place, which no restart could find again`;
  return [[where, why, `${first}Name it under actors in setup() and write ${named}.`]];
}

export function isMachine(logic: unknown): logic is AnyStateMachine {
  return typeof logic === 'object' && logic !== null && 'root' in logic && 'implementations' in logic;
}

function kindOf(logic: unknown): string {
  if (isMachine(logic)) return 'a machine';
  const work = durableWorkOf(logic);
  const maker = work && !('creator' in work) ? work.kind : makerOf(logic);
  return maker === undefined ? 'logic' : `${maker} logic`;
}

function insteadOf(logic: unknown): string {
  switch (makerOf(logic)) {
    case 'fromCallback':
      return 'Write one wait as fromPromise(async ({ input, signal }) => …) and invoke it again for the next; for an interval use after; for what comes from outside, have an agent send mail.';
    case 'fromObservable':
      return 'Write one value as fromPromise(async ({ input, signal }) => …) and invoke it again for the next, or have an agent send mail.';
    case 'fromTransition':
      return 'Write it as a machine: setup({}).createMachine({ context, on: { … } }).';
    default:
      return "Write it as activity(async (input, { effectId, signal }) => …), command((input) => ({ file, args })), ask('<address>'), or as a machine.";
  }
}
