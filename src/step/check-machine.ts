import type { AnyStateMachine } from 'xstate';
import { InvalidInput } from '../errors.ts';
import { faultsOf } from './machine-faults.ts';

/**
 * Refuses what a machine may not do when it is to survive its process, before any of it runs. Throws InvalidInput that
 * names every place, in the words of the machine's own configuration, and for each the way to write it instead. Child
 * machines are checked with it.
 */
export function checkMachine(machine: AnyStateMachine): void {
  const faults = faultsOf(machine);
  if (faults.length === 0) return;
  const what = faults.map(([where, why]) => `${where} ${why}`).join('; ');
  const instead = faults.map(([where, , hint]) => (faults.length === 1 ? hint : `${where}: ${hint}`));
  throw new InvalidInput(`The machine ${machine.id} cannot be run durably: ${what}.`, { hint: instead.join('\n') });
}
