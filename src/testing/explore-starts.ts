import { NO_TIMERS } from './explore-clock.ts';
import { lineOf } from './explore-line.ts';
import type { Taken } from './explore-move.ts';
import { takeCause } from './explore-moves.ts';
import type { AgentAt, Situation, WorkflowAt } from './explore-situation.ts';
import { incarnationOf, type SystemUnderTest } from './explore-system.ts';

/**
 * The situation in which every workflow that is started by hand has taken its first step. In which order they do makes no
 * difference: nobody can have sent them anything that would not wait.
 */
export function commitStarts(
  system: SystemUnderTest,
  tell: (taken: Taken, path: readonly string[]) => void,
): { readonly situation: Situation; readonly lines: readonly string[] } {
  const workflows = Object.entries(system.workflows).map(([address, { machine }]): [string, WorkflowAt] => [
    address,
    { machine, state: undefined, timers: NO_TIMERS, isNumbered: false },
  ]);
  const agents = Object.entries(system.agents ?? {}).map(([name, { sends = [] }]): [string, AgentAt] => [
    name,
    { sent: sends.map(() => 0), open: [], remembered: [] },
  ]);
  let situation: Situation = { workflows: new Map(workflows), transit: [], undeliverable: [], agents: new Map(agents) };
  const lines: string[] = [];
  for (const [address, { input }] of Object.entries(system.workflows)) {
    const incarnation = incarnationOf(address);
    const taken = takeCause(system, situation, { address, cause: { kind: 'start', incarnation, input } });
    situation = taken.situation;
    lines.push(lineOf(taken));
    tell(taken, [...lines]);
  }
  return { situation, lines };
}
