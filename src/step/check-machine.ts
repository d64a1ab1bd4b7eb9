import type { AnyStateMachine } from 'xstate';
import { InvalidInput } from '../errors.ts';
import { faultsOf } from './machine-faults.ts';

/**
 * Checks that a machine and its child machines can be run durably. `WorkflowHost.run` does it as well.
 *
 * @throws `InvalidInput` that names every place in the machine's configuration that cannot be durable, and how to write it instead.
 */
export function checkMachine(machine: AnyStateMachine): void {
  const faults = faultsOf(machine);
  if (faults.length === 0) return;
  const what = faults.map(([where, why]) => `${where} ${why}`).join('; ');
  const instead = faults.map(([where, , hint]) => (faults.length === 1 ? hint : `${where}: ${hint}`));
  throw new InvalidInput(`The machine ${machine.id} cannot be run durably: ${what}.`, { hint: instead.join('\n') });
}
