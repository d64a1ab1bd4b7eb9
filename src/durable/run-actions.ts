import type { AnyStateMachine } from 'xstate';
import { actionRunOf } from '../machine/action.ts';
import type { PlannedAction } from '../machine/apply-effects.ts';
import { errorFacts } from '../machine/plain-facts.ts';
import type { RoomContext } from '../room/context.ts';
import { during } from './during.ts';

/** An action is something small; one that takes longer is passed over, so that it holds up nothing for ever. */
const ACTION_MS_MAX = 60_000;

/** Runs the custom actions of one record, in order. What they throw is in the log and stops nothing. Never rejects. */
export async function runActions(
  context: RoomContext,
  {
    machine,
    address,
    actions,
    signal,
  }: { machine: AnyStateMachine; address: string; actions: readonly PlannedAction[]; signal: AbortSignal },
): Promise<void> {
  for (const { type, params, effectId } of actions) {
    if (signal.aborted) return;
    const failed = (detail: string): void =>
      context.log.append({ event: 'action-failed', from: address, detail: `${type} (${effectId}): ${detail}` });
    const run = actionRunOf(machine.implementations.actions[type]);
    if (!run) {
      failed('the machine has no such action any more');
      continue;
    }
    const over = new AbortController();
    try {
      const patience = context.host.clock.sleep(ACTION_MS_MAX, over.signal).then(() => 'late' as const);
      // It is given a copy, because params share parts with the state, which changes by steps alone.
      const ended = await Promise.race([
        Promise.resolve(
          during(context, address, { on: `action ${type}`, work: () => run(structuredClone(params), { effectId }) }),
        ),
        patience,
      ]);
      if (ended === 'late') failed(`it did not end within ${ACTION_MS_MAX / 1000} s`);
    } catch (error) {
      failed(errorFacts(error).message);
    } finally {
      over.abort();
    }
  }
}
