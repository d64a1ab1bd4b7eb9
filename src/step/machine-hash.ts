import type { AnyStateMachine } from 'xstate';
import { sha256Hex } from '../host/sha256.ts';
import { actionRunOf } from '../workflow/action.ts';
import { durableWorkOf } from '../workflow/activity.ts';
import { tellArgumentsOf } from '../workflow/send.ts';

const DEPTH_MAX = 100;

/**
 * A fingerprint of a machine's code, 16 hex digits: the configuration and everything that it names (guards, actions, delays,
 * actors, child machines), functions by their text. Code that such a function calls is not included.
 */
export function machineHash(machine: AnyStateMachine): string {
  const text: string[] = [];
  feedMachine(text, machine, new Set());
  return sha256Hex(text.join('')).slice(0, 16);
}

function feedMachine(text: string[], machine: AnyStateMachine, seen: Set<unknown>): void {
  if (seen.has(machine)) return;
  seen.add(machine);
  const { actors, actions, guards, delays } = machine.implementations;
  feed(text, machine.config, seen, 0);
  for (const part of [actions, guards, delays]) feed(text, part, seen, 0);
  for (const [name, logic] of sorted(actors)) {
    text.push(`actor ${name}\n`);
    if (typeof logic === 'object' && logic !== null && 'implementations' in logic)
      feedMachine(text, logic as AnyStateMachine, seen);
    else feed(text, durableWorkOf(logic), seen, 0);
  }
}

function feed(text: string[], value: unknown, seen: Set<unknown>, depth: number): void {
  const tellArguments = tellArgumentsOf(value);
  if (tellArguments) {
    text.push('tell\n');
    feed(text, tellArguments, seen, depth + 1);
  } else if (typeof value === 'function') {
    text.push(`function ${Function.prototype.toString.call(actionRunOf(value) ?? value)}\n`);
    // XState's own actions keep their arguments as properties.
    for (const [name, part] of sorted(value)) {
      if (name === 'resolve' || name === 'execute' || name === 'retryResolve') continue;
      text.push(`.${name}\n`);
      feed(text, part, seen, depth + 1);
    }
  } else if (typeof value === 'object' && value !== null) {
    if (seen.has(value) || depth > DEPTH_MAX) return;
    seen.add(value);
    for (const [name, part] of sorted(definitionOf(value))) {
      text.push(`{${name}\n`);
      feed(text, part, seen, depth + 1);
    }
    text.push('}\n');
  } else {
    text.push(`${typeof value} ${String(value)}\n`);
  }
}

/** The member in which zod and zod/mini keep the definition of a schema or a check. */
const MADE = '_zod';

/** The definition of a zod schema, because the schema itself gets properties as it is used. Any other value is returned as it is. */
function definitionOf(value: object): object {
  const made: unknown = MADE in value ? value[MADE] : undefined;
  const isSchema = typeof made === 'object' && made !== null && 'def' in made;
  return isSchema && typeof made.def === 'object' ? (made.def ?? value) : value;
}

function sorted(value: object): [string, unknown][] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}
